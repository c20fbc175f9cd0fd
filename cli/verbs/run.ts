import { Command } from "commander";
import { defaultInterface } from "../default-interface.js";
import { DEFAULT_LISTEN, formatListen, type Listen, listenOption } from "../listen.js";

export interface RunOptions {
  readonly interface: string;
  readonly inventory?: string;
  readonly store: string;
  readonly listen: Listen;
  readonly allowedHost?: readonly string[];
  readonly json?: true;
}

export function runCommand(): Command {
  return new Command("run")
    .description("watch this host's traffic live: collector, analyzer and explorer in one process")
    .option("-I, --interface <name>", "interface to capture on", defaultInterface())
    .option(
      "-i, --inventory <file>",
      "workloads and their addresses, followed while it changes (default: what the store was last given, else this host)",
    )
    .option("--store <file>", "DuckDB file that keeps what was learned", "portolan.duckdb")
    .addOption(listenOption("where to serve the explorer"))
    .option("--allowed-host <name...>", "names, besides addresses and localhost, under which the explorer is reached")
    .option("--json", "print the totals as JSON at the end")
    .addHelpText(
      "after",
      `
Capturing wants root or cap_net_raw. SIGTERM and Ctrl-C end the capture, store what is under way, and exit.
The explorer has no password: whoever reaches the address can read everything. /metrics, /healthz and /readyz are there too.

Example:
  sudo portolan run --interface eth0 --store /var/lib/portolan/portolan.duckdb --listen ${formatListen(DEFAULT_LISTEN)}`,
    )
    .action(async (options: RunOptions) => (await import("../run.js")).run(options));
}
