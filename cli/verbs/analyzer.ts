import { Command } from "commander";
import { type AlertOptions, addAlertOptions } from "../alert-option.js";
import { type AuditFileOptions, addAuditOptions } from "../audit-option.js";
import { addKafkaOptions, type KafkaOptions } from "../kafka-option.js";
import { DEFAULT_LISTEN, formatListen, type Listen, listenOption } from "../listen.js";

export interface AnalyzerOptions extends KafkaOptions, AuditFileOptions, AlertOptions {
  readonly store: string;
  readonly inventory?: string;
  readonly group?: string;
  readonly listen: Listen;
  readonly allowedHost?: readonly string[];
  readonly json?: true;
}

export function analyzerCommand(): Command {
  const command = new Command("analyzer")
    .description("follow the collectors' flows through Kafka: store, graph, proposals and explorer")
    .option("--store <file>", "DuckDB file that keeps what was learned, and how far it has read", "portolan.duckdb")
    .option(
      "-i, --inventory <file>",
      "workloads and their addresses, followed while it changes (default: what portolan.inventory says)",
    )
    .option("--group <name>", "share the partitions with the analyzers of this group, each with a store of its own")
    .addOption(listenOption("where to serve the explorer"))
    .option("--allowed-host <name...>", "names, besides addresses and localhost, under which the explorer is reached")
    .option("--json", "print the totals as JSON at the end");
  return addKafkaOptions(addAlertOptions(addAuditOptions(command)))
    .addHelpText(
      "after",
      `
Every flow is stored exactly once, whatever is killed in between: see docs/analyzer.md.
The explorer has no password: whoever reaches the address can read everything. /metrics, /healthz and /readyz are there too.

Example:
  portolan analyzer --kafka kafka-1:9092 --store /var/lib/portolan/portolan.duckdb --listen ${formatListen(DEFAULT_LISTEN)}`,
    )
    .action(async (options: AnalyzerOptions) => (await import("../analyzer.js")).followAsAnalyzer(options));
}
