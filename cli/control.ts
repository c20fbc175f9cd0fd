import type { ControlAnswer } from "../enforcer/control/control-answer.js";
import { askEnforcer, NoEnforcer } from "../enforcer/control/control-client.js";
import type { ControlRequest } from "../enforcer/control/control-protocol.js";
import type { EnforcerKernel } from "../enforcer/enforcer-kernel.js";
import type { HostStatus } from "../enforcer/host-enforcer.js";
import { EXIT, Failure } from "./failure.js";
import type {
  ControlOptions,
  PromoteOptions,
  QuarantineOptions,
  RollbackOptions,
  ScopeOptions,
} from "./verbs/control.js";

function print(answer: ControlAnswer, json: true | undefined): void {
  if (json) process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  else {
    const gates = (answer.unmet ?? []).map(({ name, value, wanted }) => `  ${name}: ${value}, wanted ${wanted}`);
    process.stdout.write(`${[answer.text, ...gates].join("\n")}\n`);
  }
  if (!answer.isDone) process.exitCode = EXIT.no;
}

/** Where no enforcer runs, what can be done by the kernel alone is done there. */
async function withoutEnforcer(work: (kernel: EnforcerKernel) => Promise<string>): Promise<ControlAnswer> {
  const { openKernel } = await import("../enforcer/nft-kernel.js");
  const kernel = await openKernel({ host: "local" });
  try {
    return { isDone: true, text: `${await work(kernel)} (no enforcer runs: done in the kernel)` };
  } finally {
    await kernel.close();
  }
}

async function askOr(
  options: ControlOptions,
  request: ControlRequest,
  work?: (kernel: EnforcerKernel) => Promise<string>,
): Promise<void> {
  try {
    print(await askEnforcer(options.socket, request), options.json);
  } catch (error) {
    if (!(error instanceof NoEnforcer)) throw error;
    if (work === undefined) throw new Failure(`Cannot ask: ${error.message}`, EXIT.environment, { cause: error });
    print(await withoutEnforcer(work), options.json);
  }
}

const named = ({ scope }: ScopeOptions) => (scope === undefined ? {} : { scope });

function statusLines(status: HostStatus): string[] {
  const { host, isPaused, isQuarantined, table, isIntact, obstacles, reports, scopes } = status;
  const flags = [...(isPaused ? ["paused"] : []), ...(isQuarantined ? ["in quarantine"] : [])];
  const told = table === "ours" ? (isIntact ? "as loaded" : "changed by somebody") : table;
  const lines = [`host ${host}: table ${told}${flags.length === 0 ? "" : `, ${flags.join(", ")}`}`];
  lines.push(...obstacles.map(({ gravity, text }) => `  ${gravity}: ${text}`));
  if (reports.waiting > 0 || reports.lost > 0) lines.push(`  ${reports.waiting} reports wait, ${reports.lost} lost`);
  for (const each of scopes) {
    const lease =
      each.lease === undefined ? "" : `, lease ${each.lease === "permanent" ? each.lease : `${each.lease} ms`}`;
    lines.push(`${each.scope} generation ${each.generation}: ${each.phase}${lease}`);
    const unmet = each.gates.filter(({ isMet }) => !isMet);
    if (each.phase !== "deny" && each.phase !== "trial") {
      lines.push(...unmet.map(({ name, value, wanted }) => `  ${name}: ${value}, wanted ${wanted}`));
    }
  }
  return lines;
}

export async function pause(options: ScopeOptions): Promise<void> {
  await askOr(options, { verb: "pause", ...named(options) }, async (kernel) => {
    if (options.scope !== undefined) await kernel.dropLease(options.scope);
    else await kernel.dormant(true);
    return options.scope === undefined ? "paused: nothing is judged" : `nothing is dropped for "${options.scope}"`;
  });
}

export async function resume(options: ScopeOptions): Promise<void> {
  await askOr(options, { verb: "resume", ...named(options) }, async (kernel) => {
    await kernel.dormant(false);
    return "resumed";
  });
}

export async function rollback(options: RollbackOptions): Promise<void> {
  const { reason } = options;
  await askOr(options, { verb: "rollback", ...named(options), reason }, async (kernel) => {
    await kernel.dropLease(options.scope);
    return "nothing is dropped";
  });
}

export async function quarantine(options: QuarantineOptions): Promise<void> {
  if (options.release) {
    await askOr(options, { verb: "release" }, async (kernel) => {
      await kernel.quarantine(undefined);
      return "quarantine ended";
    });
    return;
  }
  const request: ControlRequest = {
    verb: "quarantine",
    ...(options.for === undefined ? {} : { forMs: options.for }),
  };
  await askOr(options, request, async (kernel) => {
    const { readInventory } = await import("./read-inventory.js");
    const { management, controllers } = readInventory(`${options.state}/inventory.yaml`).lifelines;
    await kernel.quarantine({ management, controllers, lease: options.for ?? "permanent" });
    return "in quarantine: only management and controllers reach this host";
  });
}

export async function status(options: ControlOptions): Promise<void> {
  try {
    const { status } = await askEnforcer(options.socket, { verb: "status" });
    const text = options.json ? JSON.stringify(status, undefined, 2) : statusLines(status as HostStatus).join("\n");
    process.stdout.write(`${text}\n`);
  } catch (error) {
    if (!(error instanceof NoEnforcer)) throw error;
    throw new Failure(`Cannot ask: ${error.message}; see the kernel's: nft list table inet portolan`, EXIT.environment);
  }
}

export async function promote(options: PromoteOptions): Promise<void> {
  const { stage } = options;
  if (stage !== undefined) {
    const { promoteStage } = await import("./promote-stage.js");
    await promoteStage({ ...options, stage }, (text) => process.stdout.write(`${text}\n`));
    return;
  }
  if (options.scope === undefined) throw new Failure("Cannot promote: wanted --scope or --stage", EXIT.input);
  await askOr(options, { verb: "promote", scope: options.scope });
}
