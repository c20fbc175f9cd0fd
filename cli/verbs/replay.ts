import { Command } from "commander";
import { EXIT } from "../failure.js";
import { timeOption } from "../time-option.js";

export interface ReplayOptions {
  readonly policy: string;
  readonly store: string;
  readonly inventory?: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: true;
}

export function replayCommand(): Command {
  return new Command("replay")
    .description("ask a policy about the traffic that a store remembers")
    .requiredOption("-p, --policy <file>", "policy.json")
    .requiredOption("--store <file>", "DuckDB file of analyze or run")
    .option("-i, --inventory <file>", "workloads and their addresses (default: the store's own)")
    .option("--from <time>", "RFC 3339; from the hour that holds it", timeOption)
    .option("--to <time>", "RFC 3339; up to, not including, the hours that start then", timeOption)
    .option("--json", "print every edge and rule as JSON")
    .addHelpText(
      "after",
      `
Exit codes: ${EXIT.done} nothing that was answered would be denied, ${EXIT.no} something would.

Example:
  portolan replay --policy chart/policy.json --store portolan.duckdb --from 2026-11-01T00:00:00Z`,
    )
    .action(async (options: ReplayOptions) => (await import("../replay.js")).replay(options));
}
