import type { TunnelHop } from "../model/flow-record.js";
import { formatScope } from "../model/flow-scope.js";
import { WordInterner } from "../model/word-interner.js";
import type { AddressTable } from "./address-table.js";

/** What can enclose a flow. The position is the code; `vlan` is not a tunnel but stands in the same chain. */
export const HOP_KINDS = [
  "none",
  "vlan",
  "mpls",
  "pppoe",
  "pbb",
  "ipip",
  "6in4",
  "4in6",
  "6in6",
  "gre",
  "nvgre",
  "pptp",
  "erspan",
  "vxlan",
  "geneve",
  "gtpu",
  "teredo",
  "ayiya",
  "l2tp",
  "etherip",
  "ah",
  "esp",
  "capwap",
  "trill",
  "fabricpath",
  "vntag",
] as const;
export type HopKind = (typeof HOP_KINDS)[number];

/** Code of a hop kind, to be computed once per kind. */
export function hopCode(kind: HopKind): number {
  return HOP_KINDS.indexOf(kind);
}

const VLAN = hopCode("vlan");

/**
 * Hops whose number names a network of its own, where one address means another machine: it tells flows apart. The
 * numbers of all others differ by direction (TEID, label) or by session, so both directions meet without them.
 */
const NETWORK_HOPS = new Set<number>((["vlan", "vxlan", "geneve", "nvgre", "pbb"] as const).map(hopCode));

/** Hops that routers add and remove at will: a flow is the same with and without them. */
const PASSING_HOPS = new Set<number>((["mpls", "vntag", "fabricpath", "trill"] as const).map(hopCode));

const PARENT = 0;
const KIND = 1;
const ID = 2;
const FAMILY = 3; // of the enclosing IP packet; 0 when the hop is below IP
const SOURCE = 4; // its addresses, see AddressTable
const DESTINATION = 5;

/** The scope that encloses nothing. */
export const ROOT_SCOPE = 0;

/**
 * Chains of enclosing hops, each chain one number. A chain also has a `key`: the part of it that tells flows apart.
 */
export class ScopeTable {
  private readonly chains = new WordInterner(6);
  private readonly keys = new WordInterner(3);
  private keyOfChain: number[] = [];

  constructor(private readonly addresses: AddressTable) {
    this.clear();
  }

  get size(): number {
    return this.chains.size;
  }

  /** The chain of `parent` and one hop more. `id` is -1 where the format has none. */
  enter(parent: number, kind: number, id: number, family: number, source: number, destination: number): number {
    const { key } = this.chains;
    key[PARENT] = parent;
    key[KIND] = kind;
    key[ID] = id;
    key[FAMILY] = family;
    key[SOURCE] = source;
    key[DESTINATION] = destination;
    const before = this.chains.size;
    const scope = this.chains.intern();
    if (scope === before) this.keyOfChain.push(this.makeKey(parent, kind, id));
    return scope;
  }

  /** The number that flows are told apart by: equal for both directions. */
  keyOf(scope: number): number {
    return this.keyOfChain[scope]!;
  }

  private makeKey(parent: number, kind: number, id: number): number {
    const parentKey = this.keyOfChain[parent]!;
    if (PASSING_HOPS.has(kind)) return parentKey;
    const { key } = this.keys;
    key[0] = parentKey;
    key[1] = kind;
    key[2] = NETWORK_HOPS.has(kind) ? id : 0;
    return this.keys.intern();
  }

  /** How many IP headers are in the chain. */
  depth(scope: number): number {
    const { words } = this.chains;
    let depth = 0;
    for (let at = scope * 6; at !== 0; at = words[at + PARENT]! * 6) if (words[at + FAMILY] !== 0) depth++;
    return depth;
  }

  /** Canonical text as the flow's originator sends: `isReversed` turns the outer addresses round. */
  text(scope: number, isReversed: boolean): string {
    if (scope === ROOT_SCOPE) return "";
    const vlan: number[] = [];
    const tunnel: TunnelHop[] = [];
    const { words } = this.chains;
    for (let at = scope * 6; at !== 0; at = words[at + PARENT]! * 6) {
      const id = words[at + ID]!;
      if (words[at + KIND] === VLAN) {
        vlan.unshift(id);
        continue;
      }
      const family = words[at + FAMILY]!;
      let outer: string | undefined;
      if (family !== 0) {
        const source = this.addresses.text(family, words[at + SOURCE]!);
        const destination = this.addresses.text(family, words[at + DESTINATION]!);
        outer = isReversed ? `${destination}>${source}` : `${source}>${destination}`;
      }
      tunnel.unshift({
        kind: HOP_KINDS[words[at + KIND]!] as string,
        ...(id === -1 ? {} : { id: id >>> 0 }),
        ...(outer === undefined ? {} : { outer }),
      });
    }
    return formatScope({ vlan, tunnel });
  }

  /** Forgets all chains; see WordInterner.clear. */
  clear(): void {
    this.chains.clear();
    this.keys.clear();
    this.chains.key.fill(0);
    this.keys.key.fill(0);
    this.chains.intern();
    this.keyOfChain = [this.keys.intern()];
  }
}
