import type { Inventory } from "../../model/workload.js";
import { type CompiledPolicy, compileProgram } from "../decision/compiled-policy.js";
import { DirectionTable } from "../decision/direction-table.js";
import { resolveNamedServices } from "../decision/named-services.js";
import type { Direction, DirectionProgram, Entry, Program, Source } from "../decision/program.js";
import {
  complementIntervals,
  intersectIntervals,
  mergeIntervals,
  type ServiceInterval,
} from "../decision/service-line.js";
import { DENIED } from "../decision/verdict-map.js";
import type { LintRule } from "./finding.js";

/** A finding about a rule, or about a policy where `rule` is empty. */
export interface ProgramFinding {
  readonly lint: LintRule;
  readonly source: Source;
  readonly text: string;
}

const DIRECTIONS = ["ingress", "egress"] as const;

/** Everything that one rule of a policy became: several entries where it speaks of named ports or several services. */
interface RuleEntries {
  readonly direction: Direction;
  readonly source: Source;
  readonly entries: readonly Entry[];
}

function rulesOf(program: Program): RuleEntries[] {
  const rules = new Map<string, { direction: Direction; source: Source; entries: Entry[] }>();
  for (const direction of DIRECTIONS) {
    for (const stage of program[direction].enforced) {
      for (const entry of stage.entries) {
        const key = `${direction} ${entry.source.policy} ${entry.source.rule}`;
        const rule = rules.get(key) ?? { direction, source: entry.source, entries: [] };
        rule.entries.push(entry);
        rules.set(key, rule);
      }
    }
  }
  return [...rules.values()];
}

function without(part: DirectionProgram, dropped: ReadonlySet<Entry>): DirectionProgram {
  return {
    ...part,
    enforced: part.enforced.map((stage) => ({ ...stage, entries: stage.entries.filter((e) => !dropped.has(e)) })),
  };
}

/** Looks at what a program means over the workloads that are there. */
class ProgramLinter {
  readonly #policy: CompiledPolicy;

  constructor(
    readonly program: Program, // its named services resolved
    inventory: Inventory,
  ) {
    this.#policy = compileProgram(program, inventory);
  }

  #hasSubject(entries: readonly Entry[]): boolean {
    const { sets } = this.#policy;
    return entries.some((entry) => !sets.classesIn(sets.idOf(entry.subjects)).isEmpty());
  }

  #hasPeer(entries: readonly Entry[]): boolean {
    const { sets } = this.#policy;
    return entries.some((entry) => {
      const id = sets.idOf(entry.peers);
      return !sets.classesIn(id).isEmpty() || sets.atomsIn(id).length > 0;
    });
  }

  /** Closures whose policy selects nobody. */
  *deadPolicies(): Generator<ProgramFinding> {
    const { sets } = this.#policy;
    for (const direction of DIRECTIONS) {
      for (const stage of this.program[direction].enforced) {
        for (const { subjects, source } of stage.closures) {
          if (!sets.classesIn(sets.idOf(subjects)).isEmpty()) continue;
          yield { lint: "dead-subject", source, text: `${source.policy} selects no workload` };
        }
      }
    }
  }

  /** What is wrong with one rule by itself: the first reason for which it can never match, if any. */
  *deadRule({ source, entries }: RuleEntries): Generator<ProgramFinding> {
    if (!this.#hasSubject(entries))
      yield { lint: "dead-subject", source, text: `rule ${source.rule} governs no workload` };
    else if (!this.#hasPeer(entries))
      yield { lint: "dead-peer", source, text: `nobody is a peer of rule ${source.rule}` };
  }

  /** Whether the rule can be left out; then who decides in its place. */
  *idleRule({ direction, source, entries }: RuleEntries): Generator<ProgramFinding> {
    const { sets, maps } = this.#policy;
    const table = this.#policy[direction];
    const other = new DirectionTable(without(this.program[direction], new Set(entries)), sets, maps);
    const classes = new Set<number>();
    for (const entry of entries) sets.classesIn(sets.idOf(entry.subjects)).forEach((of) => classes.add(of));
    for (const of of classes) {
      const [whole, rest] = [table.row(of), other.row(of)];
      if (whole.workloads.some((map, i) => map !== rest.workloads[i])) return;
      if (whole.atoms.join() !== rest.atoms.join() || whole.atomStarts.join() !== rest.atomStarts.join()) return;
    }
    yield {
      lint: "no-effect",
      source,
      text: `rule ${source.rule} changes nothing: other rules decide all that it matches`,
    };
  }

  /** Whether all workloads that the rule lets talk are stopped at their other end. */
  *oneSidedRule({ direction, source, entries }: RuleEntries): Generator<ProgramFinding> {
    const { sets, maps } = this.#policy;
    const opposite = direction === "ingress" ? this.#policy.egress : this.#policy.ingress;
    let pairs = 0;
    for (const entry of entries) {
      const peers = sets.idOf(entry.peers);
      if (entry.action !== "allow" || sets.atomsIn(peers).length > 0) return;
      const services = mergeIntervals(entry.services.intervals);
      const subjects: number[] = [];
      sets.classesIn(sets.idOf(entry.subjects)).forEach((of) => subjects.push(of));
      const peerClasses: number[] = [];
      sets.classesIn(peers).forEach((of) => peerClasses.push(of));
      for (const subject of subjects) {
        for (const peer of peerClasses) {
          if (subject === peer && sets.membersOf(subject).length === 1) continue;
          pairs++;
          const denied = maps.stepsOf(opposite.row(peer).workloads[subject]!).flatMap((step, i, steps) => {
            const last = (steps[i + 1]?.start ?? 1 << 24) - 1;
            return step.code === DENIED ? [{ first: step.start, last }] : [];
          });
          if (intersectIntervals(services, complementIntervals(denied)).length > 0) return;
        }
      }
    }
    if (pairs === 0) return;
    const end = direction === "ingress" ? "the clients' egress" : "the servers' ingress";
    yield { lint: "other-end-denies", source, text: `rule ${source.rule} allows what ${end} always denies` };
  }

  /** Workloads that no policy closes in either direction. */
  unprotected(): string[] {
    const { sets } = this.#policy;
    const { workloadPoints } = sets.space;
    const isClosed = (direction: Direction, point: number) => {
      const list = this.#policy[direction].enforced;
      return list.stages.some((_, stage) => list.closuresOf(stage, sets.classOf(point)).length > 0);
    };
    const open = workloadPoints.filter((_, point) => !isClosed("ingress", point) && !isClosed("egress", point));
    return [...new Set(open.map(({ workload }) => workload.id))];
  }
}

const WIDTH = (intervals: readonly ServiceInterval[]) => intervals.reduce((sum, i) => sum + i.last - i.first + 1, 0);

/** A rule without ports among rules that all name theirs. */
function* broadRules(rules: readonly RuleEntries[]): Generator<ProgramFinding> {
  const byPolicy = new Map<string, RuleEntries[]>();
  for (const rule of rules) {
    const key = `${rule.direction} ${rule.source.policy}`;
    byPolicy.set(key, [...(byPolicy.get(key) ?? []), rule]);
  }
  for (const siblings of byPolicy.values()) {
    const allows = siblings.filter(({ entries }) => entries.every((entry) => entry.action === "allow"));
    const isWide = ({ entries }: RuleEntries) => entries.some((entry) => WIDTH(entry.services.intervals) > 65_536);
    const wide = allows.filter(isWide);
    if (wide.length !== 1 || allows.length < 3) continue;
    const { source } = wide[0]!;
    yield {
      lint: "broad-rule",
      source,
      text: `rule ${source.rule} allows every port, while the ${allows.length - 1} rules beside it name theirs`,
    };
  }
}

/** Rules that name ports which none of their servers has. */
function* deadPorts(program: Program, resolved: Program): Generator<ProgramFinding> {
  const left = new Set(
    rulesOf(resolved).map(({ direction, source }) => `${direction} ${source.policy} ${source.rule}`),
  );
  for (const { direction, source, entries } of rulesOf(program)) {
    if (left.has(`${direction} ${source.policy} ${source.rule}`)) continue;
    const names = [...new Set(entries.flatMap((entry) => entry.services.named.map(({ name }) => name)))].sort();
    yield {
      lint: "dead-port",
      source,
      text: `rule ${source.rule} names port ${names.join(", ")}, which no workload has`,
    };
  }
}

/** What can be said of policies of any plane by their meaning; and the workloads that nothing isolates. */
export function lintProgram(
  program: Program,
  inventory: Inventory,
): { readonly findings: readonly ProgramFinding[]; readonly unprotected: readonly string[] } {
  const resolved = resolveNamedServices(program, inventory);
  const linter = new ProgramLinter(resolved, inventory);
  const rules = rulesOf(resolved);
  const deadPolicies = [...linter.deadPolicies()];
  const findings: ProgramFinding[] = [...deadPolicies, ...deadPorts(program, resolved), ...broadRules(rules)];
  const deadNames = new Set(deadPolicies.map(({ source }) => source.policy));
  for (const rule of rules) {
    if (deadNames.has(rule.source.policy)) continue; // said once, of the policy
    const dead = [...linter.deadRule(rule)];
    if (dead.length > 0) findings.push(...dead);
    else findings.push(...linter.idleRule(rule), ...linter.oneSidedRule(rule));
  }
  return { findings, unprotected: linter.unprotected() };
}
