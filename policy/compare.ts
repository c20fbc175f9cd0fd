import type { IpAddress } from "../model/address.js";
import { PROTOCOL_NUMBERS } from "../model/protocol.js";
import type { Inventory } from "../model/workload.js";
import { type CompiledPolicy, compileTogether, formatPoint, type SpaceOptions } from "./decision/compiled-policy.js";
import type { Row } from "./decision/direction-table.js";
import type { Direction, Program } from "./decision/program.js";
import type { Decision } from "./decision/question.js";
import { formatServicePoint, type ServiceInterval } from "./decision/service-line.js";
import type { VerdictCode } from "./decision/verdict-map.js";

export interface CompareOptions extends SpaceOptions {
  /** Services outside of these do not count, e.g. because a plane cannot speak of them. All when absent. */
  readonly services?: readonly ServiceInterval[];
  /** Which end's verdict is compared; `both` is what becomes of the traffic. */
  readonly ends?: "both" | Direction;
}

/** A packet on which two policies differ. */
export interface Witness {
  readonly client: string; // e.g. "shop/web (10.0.0.7)" or an address
  readonly server: string;
  readonly service: string; // e.g. "tcp 443"
  readonly before: Decision;
  readonly after: Decision;
}

export type Comparison =
  | { readonly kind: "equal" }
  | { readonly kind: "different"; readonly witness: Witness; readonly text: string };

/** Traffic on which two policies differ: all packets between two points of one service interval. */
export interface Difference {
  readonly client: number; // a point that stands for all of its class, or for its run of atoms
  readonly server: number;
  readonly first: number; // services, both included
  readonly last: number;
  readonly before: VerdictCode;
  readonly after: VerdictCode;
  /** Where one end is addresses: the first and the last of them. */
  readonly outside?: readonly [first: IpAddress, last: IpAddress];
}

/**
 * Whether two policies give the same verdict to every packet: between all workloads of the inventory and all other
 * addresses of both families, for every protocol, port and ICMP type. Exact: nothing is sampled.
 *
 * After Liu and Gouda, "Diverse Firewall Design" (IEEE TPDS 2008): shape both policies alike, then compare. Every field is
 * split at all places where either side tells values apart, so that workloads fall into classes, addresses and services
 * into intervals; over these both become decision diagrams of the order subject, peer, service, whose leaves are
 * hash-consed verdict maps. Equal functions have equal numbers; where numbers differ, one packet shows it.
 */
export function compare(a: Program, b: Program, inventory: Inventory, options: CompareOptions = {}): Comparison {
  const [before, after] = compileTogether([a, b], inventory, options) as [CompiledPolicy, CompiledPolicy];
  for (const difference of differences(before, after, options)) {
    const witness = witnessOf(before, after, difference);
    return { kind: "different", witness, text: formatWitness(witness) };
  }
  return { kind: "equal" };
}

/** Where two policies that were compiled together differ, in a fixed order. */
export function* differences(
  before: CompiledPolicy,
  after: CompiledPolicy,
  options: Pick<CompareOptions, "services" | "ends"> = {},
): Generator<Difference> {
  const scope: Scope = { before, after, services: options.services, ends: options.ends ?? "both" };
  if (scope.ends !== "ingress") yield* differencesOfDirection(scope, "egress");
  if (scope.ends !== "egress") yield* differencesOfDirection(scope, "ingress");
  if (before.isSelfJudged || after.isSelfJudged) yield* differencesOfSelf(scope);
}

interface Scope {
  readonly before: CompiledPolicy;
  readonly after: CompiledPolicy;
  readonly services: readonly ServiceInterval[] | undefined;
  readonly ends: "both" | Direction;
}

function* differencesOfDirection(scope: Scope, direction: Direction): Generator<Difference> {
  const { before, after, ends } = scope;
  const { sets } = before;
  for (let subject = 0; subject < sets.classCount; subject++) {
    if (before[direction].isAlike(after[direction], subject)) continue;
    const old = before[direction].row(subject);
    const young = after[direction].row(subject);
    for (let peer = 0; peer < sets.classCount; peer++) {
      if (old.workloads[peer] === young.workloads[peer]) continue;
      // Where egress differs too, the pair has already been looked at from the client's side.
      if (direction === "ingress" && ends === "both" && hasEgressDifference(scope, peer, subject)) continue;
      const pair = strangers(before, subject, peer);
      if (pair === undefined) continue;
      const [client, server] = direction === "egress" ? pair : [pair[1], pair[0]];
      if (ends !== "both") {
        yield* differencesOfMaps(scope, client, server, old.workloads[peer]!, young.workloads[peer]!);
      } else {
        yield* differencesOfMaps(
          scope,
          client,
          server,
          before.mapBetween(client, server),
          after.mapBetween(client, server),
        );
      }
    }
    const point = sets.membersOf(subject)[0]!;
    for (const { atom, last, left, right } of differingAtoms(before, old, young, sets.space.familyOf(point))) {
      const end = sets.space.workloadPoints.length + atom;
      const outside = [sets.space.addressOfAtom(atom), last] as const;
      const [client, server] = direction === "egress" ? [point, end] : [end, point];
      for (const each of differencesOfMaps(scope, client, server, left, right)) yield { ...each, outside };
    }
  }
}

function hasEgressDifference({ before, after }: Scope, client: number, server: number): boolean {
  return before.egress.row(client).workloads[server] !== after.egress.row(client).workloads[server];
}

/** One point of each class, of two workloads that can meet; absent when the classes have no such pair. */
function strangers(policy: CompiledPolicy, subject: number, peer: number): readonly [number, number] | undefined {
  const { sets } = policy;
  const { space } = sets;
  for (const one of sets.membersOf(subject)) {
    for (const other of sets.membersOf(peer)) {
      if (!canMeet(space.familyOf(one), space.familyOf(other))) return undefined; // families are the same in a class
      if (space.workloadPoints[one]!.number !== space.workloadPoints[other]!.number) return [one, other];
    }
  }
  return undefined;
}

function canMeet(one: 0 | 4 | 6, other: 0 | 4 | 6): boolean {
  return one === 0 || other === 0 || one === other;
}

/** Runs of atoms for which two rows have different maps; each run is shown by an atom that is an end of its own. */
function* differingAtoms(
  policy: CompiledPolicy,
  old: Row,
  young: Row,
  family: 0 | 4 | 6,
): Generator<{ readonly atom: number; readonly last: IpAddress; readonly left: number; readonly right: number }> {
  const { space } = policy.sets;
  for (let i = 0, j = 0, start = 0; start < space.atomCount; ) {
    const nextOld = old.atomStarts[i + 1] ?? space.atomCount;
    const nextYoung = young.atomStarts[j + 1] ?? space.atomCount;
    const end = Math.min(nextOld, nextYoung);
    if (old.atoms[i] !== young.atoms[j]) {
      // A run may hold addresses of both families: each gets a part of its own.
      for (const [from, to] of space.atomsByFamily(start, end)) {
        if (!canMeet(space.familyOf(space.workloadPoints.length + from), family)) continue;
        let atom = from;
        while (atom < to && !space.isOutsider(atom)) atom++;
        if (atom < to)
          yield { atom, last: space.lastAddressOfAtom(to - 1), left: old.atoms[i]!, right: young.atoms[j]! };
      }
    }
    if (nextOld === end) i++;
    if (nextYoung === end) j++;
    start = end;
  }
}

/** A plane that judges a workload's talk to itself differs from one that does not. */
function* differencesOfSelf(scope: Scope): Generator<Difference> {
  const { before, after } = scope;
  for (let point = 0; point < before.sets.space.workloadPoints.length; point++) {
    yield* differencesOfMaps(scope, point, point, before.mapBetween(point, point), after.mapBetween(point, point));
  }
}

/** The differing intervals of two maps that count and that can be on the wire between the two points. */
function* differencesOfMaps(
  { before, services }: Scope,
  client: number,
  server: number,
  left: number,
  right: number,
): Generator<Difference> {
  if (left === right) return;
  const { space } = before.sets;
  const isIpv4 = space.familyOf(client) === 4 || space.familyOf(server) === 4;
  const isIpv6 = space.familyOf(client) === 6 || space.familyOf(server) === 6;
  for (const step of before.maps.overlay(left, right)) {
    if (step.left === step.right) continue;
    for (const wanted of services ?? [{ first: step.start, last: step.end - 1 }]) {
      const inside = { first: Math.max(step.start, wanted.first), last: Math.min(step.end - 1, wanted.last) };
      for (const { first, last } of onTheWire(inside, isIpv4, isIpv6)) {
        if (first <= last) yield { client, server, first, last, before: step.left, after: step.right };
      }
    }
  }
}

/** IPv4 carries no ICMPv6 and IPv6 no ICMP: whatever policies say of those, no packet shows it. */
function onTheWire(interval: ServiceInterval, isIpv4: boolean, isIpv6: boolean): readonly ServiceInterval[] {
  const impossible = isIpv4 ? PROTOCOL_NUMBERS.icmpv6 : isIpv6 ? PROTOCOL_NUMBERS.icmp : undefined;
  if (impossible === undefined) return [interval];
  const hole = { first: impossible << 16, last: (impossible << 16) | 0xffff };
  return [
    { first: interval.first, last: Math.min(interval.last, hole.first - 1) },
    { first: Math.max(interval.first, hole.last + 1), last: interval.last },
  ];
}

function witnessOf(before: CompiledPolicy, after: CompiledPolicy, difference: Difference): Witness {
  const { client, server } = difference;
  const service = tellingService(difference);
  return {
    client: formatPoint(before, client),
    server: formatPoint(before, server),
    service: formatServicePoint(service),
    before: before.explain(client, server, service),
    after: after.explain(client, server, service),
  };
}

/** A service inside a difference that people know how to read: TCP if there is any, and port 0 only if it must be. */
function tellingService({ first, last }: Pick<Difference, "first" | "last">): number {
  const { tcp, udp, sctp } = PROTOCOL_NUMBERS;
  for (const protocol of [tcp, udp, sctp]) {
    const port = Math.max(first, (protocol << 16) | 1);
    if (port <= last && port >>> 16 === protocol) return port;
  }
  return first;
}

function formatSide(decision: Decision): string {
  const end = decision.egress.verdict === decision.verdict ? decision.egress : decision.ingress;
  return `${decision.verdict} (${decision.rules.length > 0 ? `by ${decision.rules.join(", ")}` : end.reason})`;
}

/** One sentence: the packet and both verdicts with their reasons. */
export function formatWitness({ client, server, service, before, after }: Witness): string {
  return `${client} to ${server}, ${service}: first ${formatSide(before)}, second ${formatSide(after)}`;
}
