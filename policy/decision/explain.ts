import type { DirectionTable } from "./direction-table.js";
import type { EndSets } from "./end-sets.js";
import type { Closure, Direction, Entry, Source } from "./program.js";
import type { OrderedEntry, StageList } from "./stage-list.js";
import { ALLOWED, AUDITED, DENIED, type VerdictCode } from "./verdict-map.js";

/** Why one end decides as it does. */
export interface EndExplanation {
  readonly code: VerdictCode;
  readonly sources: readonly Source[]; // the entries that decided
  readonly closing: readonly Source[]; // what closes the subject, where that decided
  readonly reason: string;
}

/** The stage that spoke: by entries that match, or by closing what matches none. */
type Answer =
  | { readonly kind: "entries"; readonly stage: string; readonly isDenied: boolean; readonly entries: readonly Entry[] }
  | { readonly kind: "closed"; readonly isDenied: true; readonly closures: readonly Closure[] }
  | { readonly kind: "passed"; readonly isDenied: false; readonly entries: readonly Entry[] }; // those that passed it on

/** Asks stage after stage, entry after entry: slower than the table, and it knows why. */
function ask(list: StageList, sets: EndSets, subject: number, peer: number, service: number): Answer {
  const subjectClass = sets.classOf(subject);
  const isMatch = ({ entry, peers }: OrderedEntry) =>
    entry.services.intervals.some(({ first, last }) => first <= service && service <= last) &&
    sets.contains(peers, peer);
  const entries = list.entriesOf(subjectClass);
  const passing: Entry[] = [];
  for (const [number, stage] of list.stages.entries()) {
    const deciding = entries.find((candidate) => candidate.stage === number && isMatch(candidate));
    if (deciding !== undefined) {
      const { rank, action } = deciding.entry;
      const equals = entries.filter((e) => e.stage === number && e.entry.rank === rank && isMatch(e));
      const matching = equals.map(({ entry }) => entry);
      if (action !== "pass")
        return { kind: "entries", stage: stage.name, isDenied: action === "deny", entries: matching };
      passing.push(...matching);
      continue;
    }
    const closures = list.closuresOf(number, subjectClass);
    if (closures.length > 0) return { kind: "closed", isDenied: true, closures };
  }
  return { kind: "passed", isDenied: false, entries: passing };
}

/** The verdict at a workload point `subject` for one peer and service, with everything that decided it. */
export function explainEnd(
  table: DirectionTable,
  direction: Direction,
  subject: number,
  peer: number,
  service: number,
): EndExplanation {
  const enforced = ask(table.enforced, table.sets, subject, peer, service);
  const trial = ask(table.trial, table.sets, subject, peer, service);
  const code = enforced.isDenied ? DENIED : trial.isDenied ? AUDITED : ALLOWED;
  // What the trial says counts when enforcement denies nothing and has no rule to name.
  const isSilent = enforced.kind === "passed" && enforced.entries.length === 0;
  const answer = code === AUDITED || isSilent ? trial : enforced;
  switch (answer.kind) {
    case "passed": {
      const sources = answer.entries.map((entry) => entry.source);
      if (sources.length > 0)
        return { code, sources, closing: [], reason: "a rule passes it on, and nothing denies it" };
      return { code, sources, closing: [], reason: `nothing isolates this workload for ${direction}` };
    }
    case "entries": {
      const sources = answer.entries.map((entry) => entry.source);
      const reason = `a rule of ${answer.stage} ${answer.isDenied ? "denies" : "allows"} it`;
      return { code, sources, closing: [], reason };
    }
    case "closed": {
      const closing = answer.closures.map((closure) => closure.source);
      const names = [...new Set(closing.map((source) => source.policy))].sort().join(", ");
      return { code, sources: [], closing, reason: `isolated for ${direction} by ${names}, and no rule matches` };
    }
  }
}
