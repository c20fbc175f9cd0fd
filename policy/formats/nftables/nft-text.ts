import { formatAddress } from "../../../model/address.js";
import { type AddressRange, cidrsOfRange, formatCidr } from "../../../model/cidr.js";
import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import type { BehindSet, HostDirection, HostRuleset, PermitKind, PermitSet } from "./host-ruleset.js";
import type { PermitBox } from "./permit-boxes.js";

/** Our own table; nothing of ours is anywhere else, and nothing else is in it. */
export const TABLE = "inet portolan";

const LONGEST_COMMENT = 127; // bytes that the kernel keeps of a comment or a log prefix
const RULE_ID = /^[a-z0-9-]+$/;
const SCOPE = /^[a-z0-9-]{1,63}$/;

/** An address, a prefix or `first-last`. */
export function addressText(range: AddressRange): string {
  if (range.first === range.last) return formatAddress({ family: range.family, value: range.first });
  const cidrs = cidrsOfRange(range);
  if (cidrs.length === 1) return formatCidr(cidrs[0]!);
  const text = (value: bigint) => formatAddress({ family: range.family, value });
  return `${text(range.first)}-${text(range.last)}`;
}

export function numbersText(first: number, last: number): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/**
 * Rule ids for a comment: all of them, or as many as fit and how many more there are.
 * @throws {SyntaxError} If an id is not what a policy set allows, because nft would read it as something else.
 */
export function ruleIdsText(ids: readonly string[]): string {
  for (const id of ids) {
    if (!RULE_ID.test(id))
      throw new SyntaxError(`Cannot render rule id "${id}": wanted letters a-z, digits and dashes`);
  }
  const whole = ids.join(",");
  if (whole.length <= LONGEST_COMMENT) return whole;
  const shown: string[] = [];
  let length = 0;
  for (const id of ids) {
    if (length + id.length + 1 > LONGEST_COMMENT - 8) break;
    length += id.length + 1;
    shown.push(id);
  }
  return `${shown.join(",")}${shown.length > 0 ? "," : ""}+${ids.length - shown.length}`;
}

/** The third and fourth part of elements for services `first`..`last`: an interval of types may need three pairs. */
export function serviceTexts(kind: PermitKind, first: number, last: number): string[] {
  switch (kind) {
    case "ports":
      return [`${first >>> 16} . ${numbersText(first & 0xffff, last & 0xffff)}`];
    case "protocol":
      return [numbersText(first, last)];
    case "icmp": {
      const texts: string[] = [];
      let from = first;
      while (from <= last) {
        // From the middle of a type to its end, else as many whole types as there are, else the rest.
        const endOfType = from | 255;
        const isTypeStart = (from & 255) === 0;
        const lastWhole = (last & 255) === 255 ? last : (last & ~255) - 1;
        const to = isTypeStart && lastWhole >= endOfType ? lastWhole : Math.min(endOfType, last);
        texts.push(`${numbersText(from >>> 8, to >>> 8)} . ${numbersText(from & 255, to & 255)}`);
        from = to + 1;
      }
      return texts;
    }
  }
}

function serviceKey(kind: PermitKind, family: 4 | 6): string {
  return {
    ports: "meta l4proto . th dport",
    icmp: family === 4 ? "icmp type . icmp code" : "icmpv6 type . icmpv6 code",
    protocol: "meta l4proto",
  }[kind];
}

/** What a set's elements are made of, as nft spells it. */
export function keyText(kind: PermitKind, family: 4 | 6): string {
  const ip = family === 4 ? "ip" : "ip6";
  return `${ip} saddr . ${ip} daddr . ${serviceKey(kind, family)}`;
}

/**
 * Name of a policy set as part of other names.
 * @throws {SyntaxError} If nft could read it as anything else, or would find it too long.
 */
export function scopeText(scope: string): string {
  if (!SCOPE.test(scope)) {
    throw new SyntaxError(
      `Cannot render policy set "${scope}": wanted a name of at most 63 letters a-z, digits and dashes`,
    );
  }
  return scope;
}

/**
 * End of the names of all that belongs to one generation: `shop_g7`, or `shop_g7_r2` when addresses moved twice since. No
 * part holds an underscore, so that the names can be taken apart again.
 */
export function generationName({ policySet, generation }: HostRuleset, revision: number): string {
  return `${scopeText(policySet)}_g${generation}${revision === 0 ? "" : `_r${revision}`}`;
}

/** Name of the set of those who are judged among the forwarded: `to4_behind_shop_g7`. */
export function behindName({ direction, family }: BehindSet, generation: string): string {
  return `${direction}${family}_behind_${generation}`;
}

export function chainName(direction: HostDirection, generation: string): string {
  return `${direction}_${generation}`;
}

const isTowards = ({ direction }: PermitSet) => direction === "in" || direction === "to";

/** Elements of a permit set, who . whom . what, with a packet counter and the rules that permit it. */
export function elementTexts(set: PermitSet): string[] {
  return set.boxes.flatMap(({ remote, local, first, last, rules }) => {
    const [source, destination] = isTowards(set) ? [remote, local] : [local, remote];
    const ends = `${addressText(source)} . ${addressText(destination)}`;
    return serviceTexts(set.kind, first, last).map((what) => elementText({ key: `${ends} . ${what}`, rules }));
  });
}

interface KernelElement {
  readonly key: string;
  readonly rules: readonly string[];
}

function elementText({ key, rules }: KernelElement): string {
  return `${key} counter comment "${ruleIdsText(rules)}"`;
}

/** Boxes of a permit set as the kernel holds them. */
export interface KernelSet {
  readonly stem: string; // of its name: `in4_ports`, or `in4_local-ports` where elements name an address at the host
  readonly key: string;
  readonly elements: readonly KernelElement[];
  readonly texts: readonly string[]; // of the elements
}

const LAST_ADDRESS = { 4: (1n << 32n) - 1n, 6: (1n << 128n) - 1n } as const;
const isWhole = ({ family, first, last }: AddressRange) => first === 0n && last === LAST_ADDRESS[family];

function kernelSet(set: PermitSet, boxes: readonly PermitBox[], isLocal: boolean): KernelSet {
  const { direction, family, kind } = set;
  const ip = family === 4 ? "ip" : "ip6";
  const remoteKey = `${ip} ${isTowards(set) ? "saddr" : "daddr"}`;
  const endsOf = ({ remote, local }: PermitBox) => {
    if (!isLocal) return addressText(remote);
    const [source, destination] = isTowards(set) ? [remote, local] : [local, remote];
    return `${addressText(source)} . ${addressText(destination)}`;
  };
  const elements = boxes.flatMap((box) => {
    const ends = endsOf(box);
    return serviceTexts(kind, box.first, box.last).map((what) => ({ key: `${ends} . ${what}`, rules: box.rules }));
  });
  return {
    stem: `${direction}${family}_${isLocal ? "local-" : ""}${kind}`,
    key: isLocal ? keyText(kind, family) : `${remoteKey} . ${serviceKey(kind, family)}`,
    elements,
    texts: elements.map(elementText),
  };
}

const KERNEL_SETS = new WeakMap<PermitSet, readonly KernelSet[]>();

/**
 * The kernel's sets for one of ours. Most rules mean the host, whatever its address: a set of theirs does without that
 * field, and so takes the kernel half as long to fill, and less to ask. Made once for each set.
 */
export function kernelSets(set: PermitSet): readonly KernelSet[] {
  let sets = KERNEL_SETS.get(set);
  if (sets === undefined) {
    const whole = set.boxes.filter(({ local }) => isWhole(local));
    const local = whole.length === set.boxes.length ? [] : set.boxes.filter((box) => !isWhole(box.local));
    sets = [kernelSet(set, whole, false), kernelSet(set, local, true)].filter(({ elements }) => elements.length > 0);
    KERNEL_SETS.set(set, sets);
  }
  return sets;
}

/** Name of a set of one generation: `in4_ports_shop_g7`. */
export function setName({ stem }: KernelSet, generation: string): string {
  return `${stem}_${generation}`;
}

export const PORT_PROTOCOLS = `{ ${[PROTOCOL_NUMBERS.tcp, PROTOCOL_NUMBERS.udp, PROTOCOL_NUMBERS.sctp].join(", ")} }`;
