import { Command } from "commander";
import { DEFAULT_LISTEN, formatListen, type Listen, listenOption } from "../listen.js";

export interface DemoOptions {
  readonly listen: Listen;
  readonly serve: boolean;
  readonly out?: string;
  readonly json?: true;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description("chart the capture that comes with Portolan, then serve the explorer")
    .addOption(listenOption("where to serve the explorer; a port in use gets the next free one"))
    .option("--no-serve", "stop after the summary")
    .option("-o, --out <dir>", "also write graph, policy, bundles and report there")
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      `
The capture is of a small company built from real programs, see docs/lab.md. Nothing is sent anywhere.

Example:
  portolan demo --listen ${formatListen(DEFAULT_LISTEN)}`,
    )
    .action(async (options: DemoOptions) => (await import("../demo.js")).demo(options));
}
