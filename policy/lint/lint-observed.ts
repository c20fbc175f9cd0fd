import type { Inventory } from "../../model/workload.js";
import { type CompiledPolicy, compileProgram } from "../decision/compiled-policy.js";
import type { Direction, Entry, Program, Source } from "../decision/program.js";
import type { QueryEnd } from "../decision/question.js";
import { formatServices, mergeIntervals, type ServiceInterval, servicePoint } from "../decision/service-line.js";
import type { ProgramFinding } from "./lint-program.js";

/** Traffic that somebody saw and that was answered. */
export interface ObservedTraffic {
  readonly client: QueryEnd;
  readonly server: QueryEnd;
  readonly protocol: number;
  readonly port: number; // type for ICMP
}

/** From here on a rule is called wide: so many times what was seen of it, and not only by a few. */
const WIDE_FACTOR = 4;
const FEWEST_SERVICES = 16;
const FEWEST_PEERS = 8;

/** What one rule allows, and what was seen of that. */
interface SeenRule {
  readonly source: Source;
  readonly entries: Set<Entry>;
  readonly services: Set<number>; // points of the service line
  readonly peers: Set<number>; // points
}

function width(intervals: readonly ServiceInterval[]): number {
  return intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

class ObservedLinter {
  readonly #policy: CompiledPolicy;
  readonly #rules = new Map<string, SeenRule>();

  constructor(program: Program, inventory: Inventory) {
    this.#policy = compileProgram(program, inventory);
    for (const direction of ["ingress", "egress"] as const) {
      for (const stage of this.#policy[direction].enforced.stages) {
        for (const entry of stage.entries) {
          if (entry.action === "allow" || entry.action === "pass") this.#ruleOf(direction, entry).entries.add(entry);
        }
      }
    }
  }

  #ruleOf(direction: Direction, { source }: Entry): SeenRule {
    const key = `${direction} ${source.policy} ${source.rule}`;
    const rule = this.#rules.get(key) ?? { source, entries: new Set(), services: new Set(), peers: new Set() };
    this.#rules.set(key, rule);
    return rule;
  }

  see({ client, server, protocol, port }: ObservedTraffic): void {
    const [from, to] = this.#policy.pointsOf({ client, server });
    const service = servicePoint(protocol, port);
    this.#seeAt("egress", from, to, service);
    this.#seeAt("ingress", to, from, service);
  }

  #seeAt(direction: Direction, subject: number, peer: number, service: number): void {
    const { sets } = this.#policy;
    if (subject >= sets.space.workloadPoints.length) return;
    for (const { entry, peers } of this.#policy[direction].enforced.entriesOf(sets.classOf(subject))) {
      if (entry.action === "deny" || !sets.contains(peers, peer)) continue;
      if (!entry.services.intervals.some(({ first, last }) => first <= service && service <= last)) continue;
      const rule = this.#ruleOf(direction, entry);
      rule.services.add(service);
      rule.peers.add(peer);
    }
  }

  /** Rules of which nothing was seen, and those that allow far more than was seen of them. */
  *findings(): Generator<ProgramFinding> {
    for (const { source, entries, services, peers } of this.#rules.values()) {
      if (source.rule === "" || !this.#hasSubject(entries)) continue; // said by other findings
      if (services.size === 0) {
        yield { lint: "unseen-rule", source, text: `rule ${source.rule} allows nothing that was seen` };
        continue;
      }
      const allowed = mergeIntervals([...entries].flatMap((entry) => entry.services.intervals));
      if (width(allowed) >= Math.max(FEWEST_SERVICES, WIDE_FACTOR * services.size)) {
        const points = [...services].sort((a, b) => a - b).map((point) => ({ first: point, last: point }));
        const seen = formatServices(mergeIntervals(points)).join(", ");
        const text = `rule ${source.rule} allows ${formatServices(allowed).join(", ")}, and only ${seen} was seen`;
        yield { lint: "wider-than-seen", source, text };
      }
      const reached = this.#workloadsAmong(entries);
      const seenPeers = [...peers].filter((point) => point < this.#policy.sets.space.workloadPoints.length).length;
      if (reached >= Math.max(FEWEST_PEERS, WIDE_FACTOR * seenPeers)) {
        const text = `rule ${source.rule} is for ${reached} peers, and ${seenPeers} of them were seen`;
        yield { lint: "wider-than-seen", source, text };
      }
    }
  }

  #hasSubject(entries: ReadonlySet<Entry>): boolean {
    const { sets } = this.#policy;
    return [...entries].some((entry) => !sets.classesIn(sets.idOf(entry.subjects)).isEmpty());
  }

  #workloadsAmong(entries: ReadonlySet<Entry>): number {
    const { sets } = this.#policy;
    const points = new Set<number>();
    for (const entry of entries) {
      sets.classesIn(sets.idOf(entry.peers)).forEach((of) => {
        for (const point of sets.membersOf(of)) points.add(point);
      });
    }
    return points.size;
  }
}

/** Compares what rules allow with what was seen. Traffic with a workload that the inventory does not know is passed over. */
export function lintObserved(
  program: Program,
  inventory: Inventory,
  observed: Iterable<ObservedTraffic>,
): ProgramFinding[] {
  const linter = new ObservedLinter(program, inventory);
  for (const traffic of observed) linter.see(traffic);
  return [...linter.findings()];
}
