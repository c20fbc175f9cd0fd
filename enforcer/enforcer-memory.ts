import { z } from "zod";
import { ENFORCEMENT_STATES, verdictReportSchema } from "../model/verdict-report.js";
import { STAGES } from "../policy/trust/stage.js";
import type { ScopeState } from "./state/scope-state.js";
import type { StateFolder } from "./state-folder.js";

const ms = z.number().nonnegative();
const phase = z.enum(ENFORCEMENT_STATES);

const scopeState = z.strictObject({
  phase,
  generation: z.number(),
  inPhaseMs: ms,
  auditedMs: ms,
  quietMs: ms,
  completeMs: ms,
  offlineMs: ms,
  askedMs: ms,
  hasTraffic: z.boolean(),
  answers: z.enum(["yes", "no", "unknown"]),
  failures: z.number(),
  waitsForHuman: z.boolean(),
  returnsToTrial: z.boolean(),
  isUnconfirmed: z.boolean(),
  isSuspect: z.boolean(),
  before: z.array(phase).readonly(),
}) satisfies z.ZodType<ScopeState>;

const scopeMemory = z.strictObject({
  state: scopeState,
  /** When the lease ends by the monotonic clock of `machineBoot`, if nobody touches it. */
  leaseUntilMs: z.exactOptional(ms),
  stage: z.exactOptional(z.strictObject({ stage: z.enum(STAGES), sequence: z.number(), generation: z.number() })),
  /** The stage order that stood when a trial was taken back: only a newer one is a human's word. */
  heldSequence: z.number(),
});

const memorySchema = z.strictObject({
  version: z.literal(1),
  machineBoot: z.string(),
  isPaused: z.boolean(), // the whole table, by us
  scopes: z.record(z.string(), scopeMemory),
  reached: z.record(z.string(), z.strictObject({ generation: z.number(), hash: z.string() })),
  stageSequences: z.record(z.string(), z.number()),
  baseline: z.string(), // of the kernel's counters, see EnforcerKernel
  nextReport: z.number(),
  /** Reports of the reading that `baseline` stands after: on disk together with it, so that nothing is counted twice. */
  fresh: z.array(z.strictObject({ number: z.number(), report: verdictReportSchema })).readonly(),
});

export type ScopeMemory = z.infer<typeof scopeMemory>;
export type EnforcerMemory = z.infer<typeof memorySchema>;

export const NO_MEMORY: EnforcerMemory = {
  version: 1,
  machineBoot: "",
  isPaused: false,
  scopes: {},
  reached: {},
  stageSequences: {},
  baseline: "",
  nextReport: 1,
  fresh: [],
};

/**
 * What the enforcer before us left.
 * @throws {SyntaxError} If the file is there and damaged: what is forgotten could let an older generation in.
 */
export function readMemory(folder: StateFolder): EnforcerMemory {
  const bytes = folder.read("state.json");
  if (bytes === undefined) return NO_MEMORY;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new SyntaxError(`Cannot read "${folder.path}/state.json": it is not JSON`, { cause: error });
  }
  const parsed = memorySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SyntaxError(
    `Cannot read "${folder.path}/state.json": field "${issue?.path.join(".")}": ${issue?.message.replaceAll("\n", " ")}`,
  );
}

export function writeMemory(folder: StateFolder, memory: EnforcerMemory): void {
  folder.write("state.json", JSON.stringify(memory));
}
