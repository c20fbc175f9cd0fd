import { Command, CommanderError } from "commander";
import { analyzeCommand } from "./analyze.js";
import { demoCommand } from "./demo.js";
import { diffCommand } from "./diff.js";
import { exportCommand } from "./export.js";
import { EXIT, exitCodeOf, failureLines, isExpected } from "./failure.js";
import { flowsCommand } from "./flows.js";
import { lintCommand } from "./lint.js";
import { replayCommand } from "./replay.js";
import { runCommand } from "./run.js";
import { verdictCommand } from "./verdict.js";
import { verifyCommand } from "./verify.js";
import { VERSION } from "./version.js";

function program(): Command {
  const portolan = new Command("portolan")
    .description("Charts who talks to whom and writes the least-privilege allow-list that permits exactly that.")
    .version(VERSION)
    .showHelpAfterError("(portolan --help lists the verbs)");
  portolan.commandsGroup("Chart traffic:");
  portolan.addCommand(demoCommand()).addCommand(analyzeCommand()).addCommand(runCommand()).addCommand(flowsCommand());
  portolan.commandsGroup("Write and check policies:");
  portolan
    .addCommand(exportCommand())
    .addCommand(verifyCommand())
    .addCommand(verdictCommand())
    .addCommand(diffCommand())
    .addCommand(lintCommand())
    .addCommand(replayCommand());
  portolan.addHelpText(
    "after",
    `
Exit codes: ${EXIT.done} done, ${EXIT.no} the answer is "no", ${EXIT.input} bad input or usage, ${EXIT.environment} environment (permission, port, server).
Start with: portolan demo`,
  );
  for (const command of [portolan, ...portolan.commands]) command.exitOverride();
  return portolan;
}

/** A reader that has gone away (`| head`) is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.environment);
});

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its own line; asking for help or the version is no error.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.input;
  } else {
    for (const line of failureLines(error)) process.stderr.write(`${line}\n`);
    if (!isExpected(error) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
