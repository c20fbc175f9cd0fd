import { CommanderError } from "commander";
import { configure } from "./config/configure.js";
import { EXIT, exitCodeOf, failureLines, isExpected } from "./failure.js";
import { program } from "./program.js";

/** A reader that has gone away (`| head`) is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.environment);
});

try {
  const portolan = program();
  await configure(portolan, process.argv.slice(2), process.env);
  await portolan.parseAsync();
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
