import { Command } from "commander";
import { CONFIG_FLAGS, verbsOf } from "./config/settings.js";
import { EXIT } from "./failure.js";
import { analyzeCommand } from "./verbs/analyze.js";
import { analyzerCommand } from "./verbs/analyzer.js";
import { approveCommand } from "./verbs/approve.js";
import { collectCommand } from "./verbs/collect.js";
import { configCommand } from "./verbs/config.js";
import {
  pauseCommand,
  promoteCommand,
  quarantineCommand,
  resumeCommand,
  rollbackCommand,
  statusCommand,
} from "./verbs/control.js";
import { demoCommand } from "./verbs/demo.js";
import { diffCommand } from "./verbs/diff.js";
import { enforceCommand } from "./verbs/enforce.js";
import { exportCommand } from "./verbs/export.js";
import { flowsCommand } from "./verbs/flows.js";
import { inventoryCommand } from "./verbs/inventory.js";
import { keygenCommand } from "./verbs/keygen.js";
import { lintCommand } from "./verbs/lint.js";
import { mergeCommand } from "./verbs/merge.js";
import { policiesCommand } from "./verbs/policies.js";
import { replayCommand } from "./verbs/replay.js";
import { reportCommand } from "./verbs/report.js";
import { runCommand } from "./verbs/run.js";
import { signCommand } from "./verbs/sign.js";
import { verdictCommand } from "./verbs/verdict.js";
import { verifyCommand } from "./verbs/verify.js";
import { VERSION } from "./version.js";

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** The whole command line, made anew at each call: what it parsed stays in it. */
export function program(): Command {
  const portolan = new Command("portolan")
    .description("Charts who talks to whom and writes the least-privilege allow-list that permits exactly that.")
    .version(VERSION)
    .showHelpAfterError("(portolan --help lists the verbs)");
  portolan.commandsGroup("Chart traffic:");
  portolan.addCommand(demoCommand()).addCommand(analyzeCommand()).addCommand(runCommand()).addCommand(flowsCommand());
  portolan.commandsGroup("Chart traffic of many hosts, through Kafka:");
  portolan
    .addCommand(collectCommand())
    .addCommand(analyzerCommand())
    .addCommand(inventoryCommand())
    .addCommand(mergeCommand());
  portolan.commandsGroup("Write and check policies:");
  portolan
    .addCommand(exportCommand())
    .addCommand(verifyCommand())
    .addCommand(verdictCommand())
    .addCommand(diffCommand())
    .addCommand(lintCommand())
    .addCommand(replayCommand());
  portolan.commandsGroup("Approve policies:");
  portolan
    .addCommand(keygenCommand())
    .addCommand(approveCommand())
    .addCommand(signCommand())
    .addCommand(policiesCommand());
  portolan.commandsGroup("Report on enforcement:");
  portolan.addCommand(reportCommand());
  portolan.commandsGroup("Enforce policies on a host:");
  portolan
    .addCommand(enforceCommand())
    .addCommand(statusCommand())
    .addCommand(promoteCommand())
    .addCommand(rollbackCommand())
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())
    .addCommand(quarantineCommand());
  portolan.commandsGroup("Configure:");
  portolan.addCommand(configCommand());
  portolan.addHelpText(
    "after",
    `
Every option can also be set as PORTOLAN_<OPTION> or in portolan.yaml: docs/configuration.md, portolan config check.
Exit codes: ${EXIT.done} done, ${EXIT.no} the answer is "no", ${EXIT.input} bad input or usage, ${EXIT.environment} environment (permission, port, server).
Start with: portolan demo`,
  );
  for (const { command } of verbsOf(portolan)) command.option(CONFIG_FLAGS, "settings, see docs/configuration.md");
  for (const command of withSubcommands(portolan)) command.exitOverride();
  return portolan;
}
