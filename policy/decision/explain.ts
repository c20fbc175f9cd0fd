import type { ClassStage, DirectionTable } from "./direction-table.js";
import type { Direction, Entry, Source } from "./program.js";
import { ALLOWED, AUDITED, DENIED, type VerdictCode } from "./verdict-map.js";

/** Why one end decides as it does. */
export interface EndExplanation {
  readonly code: VerdictCode;
  readonly sources: readonly Source[]; // the entries that decided
  readonly closing: readonly Source[]; // what closes the subject, where that decided
  readonly reason: string;
}

/** What a list of stages says to one question; `stage` is the one that spoke, absent when all passed it on. */
interface StageAnswer {
  readonly isDenied: boolean;
  readonly stage?: string;
  readonly entries: readonly Entry[];
  readonly part?: ClassStage;
}

function ask(
  table: DirectionTable,
  stages: ReturnType<DirectionTable["stagesOf"]>,
  peer: number,
  service: number,
): StageAnswer {
  const { sets } = table;
  const matches = (entry: Entry) =>
    entry.services.intervals.some(({ first, last }) => first <= service && service <= last) &&
    sets.contains(sets.idOf(entry.peers), peer);
  for (const { stage, part } of stages) {
    const first = part.entries.find(matches);
    if (first === undefined) {
      if (part.closures.length > 0) return { isDenied: true, stage: stage.name, entries: [], part };
      continue;
    }
    if (first.action === "pass") continue;
    const entries = part.entries.filter((entry) => entry.rank === first.rank && matches(entry));
    return { isDenied: first.action === "deny", stage: stage.name, entries, part };
  }
  return { isDenied: false, entries: [] };
}

/** Answers by asking the entries one after the other: slower than the table, and it knows why. */
export function explainEnd(
  table: DirectionTable,
  direction: Direction,
  subject: number,
  peer: number,
  service: number,
): EndExplanation {
  const enforced = ask(table, table.stagesOf(subject), peer, service);
  const trial = ask(table, table.trialStagesOf(subject), peer, service);
  const answer = !enforced.isDenied && trial.isDenied ? trial : enforced;
  const sources = answer.entries.map((entry) => entry.source);
  const code = enforced.isDenied ? DENIED : trial.isDenied ? AUDITED : ALLOWED;
  if (answer.stage === undefined) {
    // Under trial alone an allowed subject is still governed: its rule is worth naming.
    const shown = trial.entries.map((entry) => entry.source);
    const reason =
      shown.length > 0 ? `a rule of ${trial.stage} allows it` : `nothing isolates this workload for ${direction}`;
    return { code, sources: shown, closing: [], reason };
  }
  if (sources.length > 0) {
    return {
      code,
      sources,
      closing: [],
      reason: `a rule of ${answer.stage} ${answer.isDenied ? "denies" : "allows"} it`,
    };
  }
  const closing = (answer.part?.closures ?? []).map((closure) => closure.source);
  const names = [...new Set(closing.map((source) => source.policy))].sort().join(", ");
  return { code, sources, closing, reason: `isolated for ${direction} by ${names}, and no rule matches` };
}
