import { cidrTexts } from "../../address-ranges.js";
import { ALL_ENDS, allOf, anyOf, type EndSet } from "../../decision/end-set.js";
import type { Closure, DirectionProgram, Entry, Program, Stage } from "../../decision/program.js";
import { mergeIntervals, type ServiceInterval } from "../../decision/service-line.js";
import {
  type NftElement,
  type NftMatch,
  type NftRange,
  NftSyntaxError,
  type NftTable,
  type NftVerdict,
} from "./nft-table.js";
import { ANY_PACKET, matchBoxes, type PacketBox, servicesOfBox } from "./packet-boxes.js";

/** The table of one host, and the workload that the host is. */
export interface HostTable {
  readonly workload: string; // id
  readonly table: NftTable;
}

const DEEPEST_JUMP = 16; // as in the kernel
/** `lease_shop`: filled, the policy set `shop` drops what nobody permits. */
const isLease = (set: string) => set.startsWith("lease_");
const EVERY_FAMILY: readonly NftElement[] = [2n, 10n].map((family) => ({
  parts: [{ first: family, last: family }],
  comment: "",
}));

/** What happens to some packets, in the order in which the kernel asks. */
interface Step {
  readonly action: "allow" | "deny";
  readonly boxes: readonly PacketBox[];
  readonly rule: string; // where, or the rule's comment
  readonly where: string;
}

/** How a walk through a chain ends for the packets that no step has caught. */
type Ending = "returns" | "ends" | "policy";

function walk(table: NftTable, chainName: string, isLeased: boolean, steps: Step[], depth: number): Ending {
  const chain = table.chains.get(chainName);
  if (chain === undefined || depth > DEEPEST_JUMP) {
    throw new NftSyntaxError(`chain ${chainName}`, chainName, "a chain of this table, without going round in circles");
  }
  const elementsOf = (match: NftMatch & { kind: "values" | "lookup" }, where: string): readonly NftElement[] => {
    if (match.kind === "values") return match.values;
    const set = table.sets.get(match.set);
    if (set === undefined) throw new NftSyntaxError(where, `@${match.set}`, "a set of this table");
    return isLease(match.set) && isLeased ? EVERY_FAMILY : set.elements;
  };
  for (const [at, { where, matches, verdict, comment }] of chain.rules.entries()) {
    if (verdict === undefined || matches.some((match) => match.kind === "not-new")) continue;
    // Whoever leaves early misses nothing where the rest of the chain only counts and notes.
    if (verdict.kind === "return" && chain.rules.slice(at).every((rule) => isNote(rule.verdict))) continue;
    let boxes: readonly PacketBox[] = [ANY_PACKET];
    for (const match of matches) {
      const isUncertain =
        match.kind === "sometimes" || (match.kind === "lookup" && table.sets.get(match.set)?.isDynamic === true);
      if (isUncertain)
        throw new NftSyntaxError(where, verdict.kind, "no verdict that depends on a rate or a dynamic set");
      if (match.kind === "values" || match.kind === "lookup") {
        boxes = matchBoxes(boxes, match, elementsOf(match, where), where);
      }
    }
    const isAlways = boxes.length === 1 && boxes[0] === ANY_PACKET;
    if (verdict.kind === "accept" || verdict.kind === "drop") {
      const action = verdict.kind === "accept" ? "allow" : "deny";
      steps.push({ action, boxes, rule: comment === "" ? where : comment, where });
      if (isAlways) return "ends";
      continue;
    }
    if (!isAlways) {
      if (verdict.kind === "jump" && isWithoutVerdict(table, verdict.chain, depth)) continue;
      throw new NftSyntaxError(where, verdict.kind, "a jump, goto or return without a condition");
    }
    if (verdict.kind === "return") return "returns";
    const ending = walk(table, verdict.chain, isLeased, steps, depth + 1);
    if (ending !== "returns") return ending;
    if (verdict.kind === "goto") return "policy";
  }
  return "returns";
}

const isNote = (verdict: NftVerdict | undefined) => verdict === undefined || verdict.kind === "return";

/** Whether a chain only counts and notes. */
function isWithoutVerdict(table: NftTable, chain: string, depth: number): boolean {
  const steps: Step[] = [];
  return walk(table, chain, true, steps, depth + 1) === "returns" && steps.length === 0;
}

function cidrsOf(ranges: readonly NftRange[], family: 4 | 6): string[] {
  return cidrTexts(ranges.map(({ first, last }) => ({ family, first, last })));
}

const ALL_OF_FAMILY = { 4: ["0.0.0.0/0"], 6: ["::/0"] } as const;

function addresses(ranges: readonly (NftRange | undefined)[], family: 4 | 6 | undefined): EndSet {
  const known = ranges.filter((range) => range !== undefined);
  if (family === undefined) return ALL_ENDS;
  const cidrs = known.length < ranges.length ? ALL_OF_FAMILY[family] : cidrsOf(known, family);
  return { kind: "addresses", cidrs, of: "anyone" };
}

/**
 * Boxes that differ in the remote address alone become one entry.
 * @param all whom the chain judges
 */
function entriesOf(step: Step, rank: number, host: string, direction: "ingress" | "egress", all: EndSet): Entry[] {
  const groups = new Map<
    string,
    {
      box: PacketBox;
      local: NftRange | undefined;
      remotes: (NftRange | undefined)[];
      services: readonly ServiceInterval[];
    }
  >();
  for (const box of step.boxes) {
    const [local, remote] = direction === "ingress" ? [box.destination, box.source] : [box.source, box.destination];
    const services = mergeIntervals(servicesOfBox(box, step.where));
    const localText = local === undefined ? "" : `${local.first}-${local.last}`;
    const key = [box.family, localText, box.comment, ...services.map(({ first, last }) => `${first}-${last}`)].join(
      " ",
    );
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { box, local, remotes: [remote], services });
    else group.remotes.push(remote);
  }
  return [...groups.values()].map(({ box, local, remotes, services }) => ({
    rank,
    subjects: local === undefined ? all : allOf([all, addresses([local], box.family)]),
    peers: addresses(remotes, box.family),
    services: { intervals: services, named: [] },
    action: step.action,
    source: { policy: `nftables ${host}`, rule: box.comment === "" ? step.rule : box.comment },
  }));
}

/** Which chains judge in a direction: the host itself, or those behind it. */
const JUDGES = {
  ingress: [{ hook: "input" }, { hook: "forward", name: "forward_to" }],
  egress: [{ hook: "output" }, { hook: "forward", name: "forward_from" }],
} as const;

/** Of what is forwarded, only the drops say whose packets are judged: everybody else's are not. */
function judgedBehind(steps: readonly Step[], direction: "ingress" | "egress"): EndSet {
  const ends = steps
    .filter(({ action }) => action === "deny")
    .flatMap(({ boxes, where }) =>
      boxes.map((box) => {
        const local = direction === "ingress" ? box.destination : box.source;
        if (local === undefined) throw new NftSyntaxError(where, "drop", "a drop that says for whom");
        return addresses([local], box.family);
      }),
    );
  return anyOf(ends);
}

function stageOf(hosts: readonly HostTable[], direction: "ingress" | "egress", isLeased: boolean): Stage {
  const entries: Entry[] = [];
  const closures: Closure[] = [];
  for (const { workload, table } of hosts) {
    if (table.isDormant) continue;
    for (const chain of table.chains.values()) {
      const isJudge = JUDGES[direction].some(
        (judge) => judge.hook === chain.hook && (!("name" in judge) || judge.name === chain.name),
      );
      if (!isJudge) continue;
      const steps: Step[] = [];
      const ending = walk(table, chain.name, isLeased, steps, 0);
      const here: EndSet = { kind: "listed", workloads: [workload] };
      const all = chain.hook === "forward" ? judgedBehind(steps, direction) : here;
      // Steps of one action in a row decide together; hosts share ranks, since no packet has two hosts at one end.
      let rank = 0;
      for (const step of steps) {
        if ((rank % 2 === 1) !== (step.action === "deny")) rank++;
        entries.push(...entriesOf(step, rank, workload, direction, all));
      }
      if (ending !== "ends" && chain.policy === "drop") {
        const source = { policy: `nftables ${workload}`, rule: "" };
        closures.push({ subjects: all, source });
      }
    }
  }
  return { name: "nftables", entries, closures };
}

/**
 * What the tables of hosts mean for the first packet of every new connection: replies, loopback and TCP packets that
 * open nothing are not judged. What only a filled lease would drop is `trial`.
 * @throws {NftSyntaxError} If a table holds a rule whose meaning depends on more than the packet.
 */
export function programOfTables(hosts: readonly HostTable[]): Program {
  const direction = (of: "ingress" | "egress"): DirectionProgram => {
    const isLeaseFull = hosts.every(({ table }) =>
      [...table.sets.values()].every(({ name, elements }) => !isLease(name) || elements.length === EVERY_FAMILY.length),
    );
    const trial = isLeaseFull ? [] : [stageOf(hosts, of, true)];
    return { enforced: [stageOf(hosts, of, false)], trial };
  };
  return { ingress: direction("ingress"), egress: direction("egress"), selfTraffic: "allowed" };
}
