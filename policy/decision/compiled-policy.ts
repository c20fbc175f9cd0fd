import { formatAddress, type IpAddress, parseAddress } from "../../model/address.js";
import type { Inventory } from "../../model/workload.js";
import { DirectionTable } from "./direction-table.js";
import type { EndSet } from "./end-set.js";
import { EndSets } from "./end-sets.js";
import { type EndExplanation, explainEnd } from "./explain.js";
import { resolveNamedServices } from "./named-services.js";
import type { Direction, Program } from "./program.js";
import type { Decision, EndDecision, Query, QueryEnd, Verdict } from "./question.js";
import { servicePoint } from "./service-line.js";
import { ALLOWED, AUDITED, DENIED, type VerdictCode, VerdictMaps } from "./verdict-map.js";

const VERDICTS = { [ALLOWED]: "allowed", [AUDITED]: "audited", [DENIED]: "denied" } as const;

export function formatVerdict(code: VerdictCode): Verdict {
  return VERDICTS[code];
}

/** Above this many classes the table of all pairs of classes would take more than 32 MiB, and rows serve instead. */
const MOST_PAIRED_CLASSES = 4096;

/** Maps with a number below stand in that table; two bytes a pair, since a question costs what fetching its pair costs. */
const MOST_PAIRED_MAPS = 0xffff;

/**
 * A policy made ready for many questions about one inventory. Ends and services are small whole numbers: resolve them
 * once with the `pointOf` functions and `servicePoint`, then `code` costs about 0.1 microseconds whatever the number
 * of rules.
 */
export class CompiledPolicy {
  readonly ingress: DirectionTable;
  readonly egress: DirectionTable;
  readonly isSelfJudged: boolean; // whether policy is asked about a workload that speaks to itself
  readonly #workloads: Int32Array; // number of the workload at each workload point
  readonly #pairs: Uint16Array | undefined; // map + 1 by client class and server class; 0 is not known

  constructor(
    program: Program, // its named services resolved
    readonly inventory: Inventory,
    readonly sets: EndSets,
    readonly maps: VerdictMaps,
  ) {
    this.ingress = new DirectionTable(program.ingress, sets, maps);
    this.egress = new DirectionTable(program.egress, sets, maps);
    this.isSelfJudged = program.selfTraffic === "judged";
    this.#workloads = Int32Array.from(sets.space.workloadPoints, (point) => point.number);
    if (sets.classCount <= MOST_PAIRED_CLASSES) this.#pairs = new Uint16Array(sets.classCount ** 2);
  }

  pointOfAddress(address: IpAddress): number {
    return this.sets.space.pointOfAddress(address);
  }

  /**
   * The point of a workload; with `family`, at its first address of that family if it has one.
   * @throws {RangeError} If the inventory does not know the workload.
   */
  pointOfWorkload(id: string, family: 0 | 4 | 6 = 0): number {
    const { space } = this.sets;
    const points = space.pointsOfWorkload(id);
    const point = points.find((candidate) => family === 0 || space.familyOf(candidate) === family) ?? points[0];
    if (point === undefined) throw new RangeError(`Cannot judge workload "${id}": the inventory does not know it`);
    return point;
  }

  /** The verdict between two points for one service (`servicePoint`). */
  code(client: number, server: number, service: number): VerdictCode {
    return this.maps.codeAt(this.mapBetween(client, server), service);
  }

  /** The verdicts between two points for all services, as a number in `maps`. */
  mapBetween(client: number, server: number): number {
    const workloadPoints = this.#workloads.length;
    if (client >= workloadPoints || server >= workloadPoints) {
      if (client < workloadPoints) return this.egress.mapAt(client, server);
      return server < workloadPoints ? this.ingress.mapAt(server, client) : this.maps.open;
    }
    if (!this.isSelfJudged && this.#workloads[client] === this.#workloads[server]) return this.maps.open;
    if (this.#pairs === undefined) return this.#mapOfPair(client, server);
    const pair = this.sets.classOf(client) * this.sets.classCount + this.sets.classOf(server);
    const known = this.#pairs[pair]!;
    if (known !== 0) return known - 1;
    const map = this.#mapOfPair(client, server);
    if (map < MOST_PAIRED_MAPS) this.#pairs[pair] = map + 1;
    return map;
  }

  #mapOfPair(client: number, server: number): number {
    return this.maps.stricter(this.egress.mapAt(client, server), this.ingress.mapAt(server, client));
  }

  /** Whether both points are one workload and the plane does not judge that. */
  isSelfTraffic(client: number, server: number): boolean {
    const one = this.#workloads[client];
    return !this.isSelfJudged && one !== undefined && one === this.#workloads[server];
  }

  /** The points of both ends of a query. */
  pointsOf(query: Pick<Query, "client" | "server">): readonly [client: number, server: number] {
    const server = this.#pointOf(query.server, 0);
    const client = this.#pointOf(query.client, this.sets.space.familyOf(server));
    if (query.server.kind === "address" || query.server.address !== undefined) return [client, server];
    return [client, this.#pointOf(query.server, this.sets.space.familyOf(client))];
  }

  #pointOf(end: QueryEnd, family: 0 | 4 | 6): number {
    if (end.kind === "address") return this.pointOfAddress(parseAddress(end.address));
    if (end.address === undefined) return this.pointOfWorkload(end.id, family);
    const wanted = formatAddress(parseAddress(end.address));
    const { space } = this.sets;
    const point = space.pointsOfWorkload(end.id).find((candidate) => {
      const { address } = space.workloadPoints[candidate]!;
      return address !== undefined && formatAddress(address) === wanted;
    });
    if (point === undefined) throw new RangeError(`Cannot judge workload "${end.id}": it is not at ${end.address}`);
    return point;
  }

  /**
   * The verdict with its reasons.
   * @throws {RangeError} If the inventory does not know a workload. @throws {SyntaxError} If an address is not one.
   */
  verdict(query: Query): Decision {
    const [client, server] = this.pointsOf(query);
    return this.explain(client, server, servicePoint(query.protocol, query.port, query.icmpCode));
  }

  explain(client: number, server: number, service: number): Decision {
    const egress = this.#explainEnd("egress", client, server, service);
    const ingress = this.#explainEnd("ingress", server, client, service);
    const code = Math.max(egress.code, ingress.code) as VerdictCode;
    const rules = sorted([...egress.sources, ...ingress.sources].filter((s) => s.rule !== "").map((s) => s.rule));
    return { verdict: VERDICTS[code], egress: decisionOf(egress), ingress: decisionOf(ingress), rules };
  }

  #explainEnd(direction: Direction, subject: number, peer: number, service: number): EndExplanation {
    const table = this[direction];
    if (this.isSelfTraffic(subject, peer)) {
      return { code: ALLOWED, sources: [], closing: [], reason: "a workload may always speak to itself" };
    }
    if (subject >= this.sets.space.workloadPoints.length) {
      return { code: ALLOWED, sources: [], closing: [], reason: "no workload, so no policy governs this end" };
    }
    return explainEnd(table, direction, subject, peer, service);
  }
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function decisionOf(end: EndExplanation): EndDecision {
  return {
    verdict: VERDICTS[end.code],
    rules: sorted(end.sources.map((source) => source.rule)),
    policies: sorted([...end.sources, ...end.closing].map((source) => source.policy)),
    reason: end.reason,
  };
}

/** All sets of ends that a program names. */
function* setsOf(program: Program): Generator<EndSet> {
  for (const direction of [program.ingress, program.egress]) {
    for (const stage of [...direction.enforced, ...direction.trial]) {
      for (const entry of stage.entries) {
        yield entry.subjects;
        yield entry.peers;
      }
      for (const closure of stage.closures) yield closure.subjects;
    }
  }
}

export interface SpaceOptions {
  /** Which workload has an address is asked for this time (microseconds); absent: addresses held for good. */
  readonly atUs?: number;
}

/** Compiles programs over one space of ends, so that their verdict maps can be compared by number. */
export function compileTogether(
  programs: readonly Program[],
  inventory: Inventory,
  options: SpaceOptions = {},
): CompiledPolicy[] {
  const resolved = programs.map((program) => resolveNamedServices(program, inventory));
  const sets = new EndSets(
    inventory,
    resolved.flatMap((program) => [...setsOf(program)]),
    options.atUs,
  );
  const maps = new VerdictMaps();
  return resolved.map((program) => new CompiledPolicy(program, inventory, sets, maps));
}

export function compileProgram(program: Program, inventory: Inventory, options: SpaceOptions = {}): CompiledPolicy {
  return compileTogether([program], inventory, options)[0]!;
}

/** In words, for error messages and witnesses, e.g. `shop/web-1 (10.0.0.7)`, `192.0.2.1`. */
export function formatPoint(policy: CompiledPolicy, point: number): string {
  const { space } = policy.sets;
  const end = space.workloadPoints[point];
  if (end === undefined) return formatAddress(space.addressOfAtom(point - space.workloadPoints.length));
  return end.address === undefined ? end.workload.id : `${end.workload.id} (${formatAddress(end.address)})`;
}
