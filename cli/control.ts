import { Command, Option } from "commander";
import { askEnforcer, NoEnforcer } from "../enforcer/control/control-client.js";
import { type ControlAnswer, type ControlRequest, DEFAULT_SOCKET } from "../enforcer/control/control-protocol.js";
import type { EnforcerKernel } from "../enforcer/enforcer-kernel.js";
import type { HostStatus } from "../enforcer/host-enforcer.js";
import { openKernel } from "../enforcer/nft-kernel.js";
import { STAGES } from "../policy/trust/stage-order.js";
import { EXIT, Failure } from "./failure.js";
import { addKafkaOptions } from "./kafka-option.js";
import { promoteStage, type StageOptions } from "./promote-stage.js";
import { readInventory } from "./read-inventory.js";
import { parseSpan } from "./span.js";

interface ControlOptions {
  readonly socket: string;
  readonly state: string;
  readonly scope?: string;
  readonly json?: true;
}

function controlCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--socket <path>", "where the enforcer of this host listens", DEFAULT_SOCKET)
    .option("--json", "print the answer as JSON");
}

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

const named = ({ scope }: ControlOptions) => (scope === undefined ? {} : { scope });
const oneScope = "one policy set (default: all, and the whole table)";

export function pauseCommand(): Command {
  return controlCommand("pause", "judge nothing on this host, and forget nothing")
    .option("--scope <name>", oneScope)
    .addHelpText(
      "after",
      `
Works without an enforcer, and without Node: nft add table inet portolan '{ flags dormant; }'

Example:
  sudo portolan pause`,
    )
    .action(async (options: ControlOptions) => {
      await askOr(options, { verb: "pause", ...named(options) }, async (kernel) => {
        if (options.scope !== undefined) await kernel.dropLease(options.scope);
        else await kernel.dormant(true);
        return options.scope === undefined ? "paused: nothing is judged" : `nothing is dropped for "${options.scope}"`;
      });
    });
}

export function resumeCommand(): Command {
  return controlCommand("resume", "judge again; what was in deny comes back by way of a trial")
    .option("--scope <name>", oneScope)
    .addHelpText(
      "after",
      `
Without Node: nft add table inet portolan

Example:
  sudo portolan resume`,
    )
    .action(async (options: ControlOptions) => {
      await askOr(options, { verb: "resume", ...named(options) }, async (kernel) => {
        await kernel.dormant(false);
        return "resumed";
      });
    });
}

export function rollbackCommand(): Command {
  return controlCommand("rollback", "drop nothing any more, go on counting, and wait for a human")
    .option("--scope <name>", "one policy set (default: all)")
    .option("--reason <text>", "why, for the log", "asked for on this host")
    .addHelpText(
      "after",
      `
Works without an enforcer, and without Node: nft flush set inet portolan lease_SCOPE

Example:
  sudo portolan rollback --scope shop --reason "orders fail since ten"`,
    )
    .action(async (options: ControlOptions & { readonly reason: string }) => {
      const { reason } = options;
      await askOr(options, { verb: "rollback", ...named(options), reason }, async (kernel) => {
        await kernel.dropLease(options.scope);
        return "nothing is dropped";
      });
    });
}

export function quarantineCommand(): Command {
  return controlCommand("quarantine", "cut this host off, but for management networks and controllers")
    .option("--for <span>", "end by itself after this long, such as 90s, 30m or 8h (default: when told)", parseSpan)
    .option("--release", "end it")
    .option("--state <dir>", "where the enforcer keeps the inventory, for when none runs", "/var/lib/portolan/enforcer")
    .addHelpText(
      "after",
      `
Established connections end too. Works without an enforcer. Ends without Node: nft delete table inet portolan_quarantine

Example:
  sudo portolan quarantine --for 8h`,
    )
    .action(async (options: ControlOptions & { readonly for?: number; readonly release?: true }) => {
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
        const { management, controllers } = readInventory(`${options.state}/inventory.yaml`).lifelines;
        await kernel.quarantine({ management, controllers, lease: options.for ?? "permanent" });
        return "in quarantine: only management and controllers reach this host";
      });
    });
}

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

export function statusCommand(): Command {
  return controlCommand("status", "where each policy stands on this host, and what is missing for deny")
    .addHelpText(
      "after",
      `
Example:
  sudo portolan status`,
    )
    .action(async (options: ControlOptions) => {
      try {
        const { status } = await askEnforcer(options.socket, { verb: "status" });
        const text = options.json ? JSON.stringify(status, undefined, 2) : statusLines(status as HostStatus).join("\n");
        process.stdout.write(`${text}\n`);
      } catch (error) {
        if (!(error instanceof NoEnforcer)) throw error;
        throw new Failure(
          `Cannot ask: ${error.message}; see the kernel's: nft list table inet portolan`,
          EXIT.environment,
        );
      }
    });
}

export function promoteCommand(): Command {
  const command = controlCommand("promote", "try deny: on this host, or stage by stage on all of them")
    .option("--scope <name>", "policy set, on this host")
    .addOption(new Option("--stage <stage>", "how far the rollout on all hosts may go").choices(STAGES))
    .option("--auto", "go there through every stage before it, and take all back if a host takes its trial back")
    .option("-p, --policy <file>", "signed policy that is rolled out")
    .option("-k, --key <file>", "your private key, whose role is promoter")
    .option("--keyring <file>", "keys that enforcers trust", "/etc/portolan/keyring.json")
    .option("--within <span>", "how long to wait for hosts to be ready or to come through", parseSpan, 60_000);
  return addKafkaOptions(command)
    .addHelpText(
      "after",
      `
Refused with the list of what is not met, exit code ${EXIT.no}. A trial that cannot be confirmed takes itself back.
Stages: ${STAGES.join(", ")}; each holds the hosts of those before it, and audit takes all of them back.

Examples:
  sudo portolan promote --scope shop
  portolan promote --stage 25% --auto --policy shop.signed --key ops.key --keyring keyring.json --kafka kafka-1:9092`,
    )
    .action(async (options: ControlOptions & StageOptions) => {
      if (options.stage !== undefined) {
        await promoteStage(options, (text) => process.stdout.write(`${text}\n`));
        return;
      }
      if (options.scope === undefined) throw new Failure("Cannot promote: wanted --scope or --stage", EXIT.input);
      await askOr(options, { verb: "promote", scope: options.scope });
    });
}
