import { Command, Option } from "commander";
import { DEFAULT_SOCKET } from "../../enforcer/control/default-socket.js";
import { STAGES, type Stage } from "../../policy/trust/stage.js";
import { EXIT } from "../failure.js";
import { addKafkaOptions, type KafkaOptions } from "../kafka-option.js";
import { parseSpan } from "../span.js";

export interface ControlOptions {
  readonly socket: string;
  readonly json?: true;
}

export interface ScopeOptions extends ControlOptions {
  readonly scope?: string;
}

export interface RollbackOptions extends ScopeOptions {
  readonly reason: string;
}

export interface QuarantineOptions extends ControlOptions {
  readonly for?: number; // milliseconds
  readonly release?: true;
  readonly state: string;
}

/** Of a rollout on all hosts. */
export interface StageOptions extends KafkaOptions {
  readonly stage: Stage;
  readonly policy?: string;
  readonly key?: string;
  readonly keyring: string;
  readonly within: number; // milliseconds
  readonly auto?: true;
}

export type PromoteOptions = ScopeOptions & Omit<StageOptions, "stage"> & Partial<Pick<StageOptions, "stage">>;

function controlCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--socket <path>", "where the enforcer of this host listens", DEFAULT_SOCKET)
    .option("--json", "print the answer as JSON");
}

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
    .action(async (options: ScopeOptions) => (await import("../control.js")).pause(options));
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
    .action(async (options: ScopeOptions) => (await import("../control.js")).resume(options));
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
    .action(async (options: RollbackOptions) => (await import("../control.js")).rollback(options));
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
    .action(async (options: QuarantineOptions) => (await import("../control.js")).quarantine(options));
}

export function statusCommand(): Command {
  return controlCommand("status", "where each policy stands on this host, and what is missing for deny")
    .addHelpText(
      "after",
      `
Example:
  sudo portolan status`,
    )
    .action(async (options: ControlOptions) => (await import("../control.js")).status(options));
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
    .action(async (options: PromoteOptions) => (await import("../control.js")).promote(options));
}
