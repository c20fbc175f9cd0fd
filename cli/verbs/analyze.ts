import { Command } from "commander";
import { EXIT } from "../failure.js";

export interface AnalyzeOptions {
  readonly perHost?: true;
  readonly inventory?: string;
  readonly out: string;
  readonly store?: string;
  readonly json?: true;
}

export function analyzeCommand(): Command {
  return new Command("analyze")
    .description("chart captures: graph, proposed policy, bundles and report")
    .argument("<file...>", "pcap or pcapng, also gzipped; - for standard input")
    .option("-i, --inventory <file>", "workloads and their addresses, see docs/inventory.md")
    .option(
      "--per-host",
      "each file is the capture of another host, named after the file; what two of them saw is one flow",
    )
    .option("-o, --out <dir>", "folder for the results", "portolan-out")
    .option("--store <file>", "keep the conversations in this DuckDB file (default: in memory)")
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      `
Writes graph.json, policy.json, report.html, bundles/kubernetes/ and bundles/nftables/ below the folder.
A capture that ends in an error is charted up to there; the error is printed and the exit code is ${EXIT.input}.

Example:
  portolan analyze monday.pcapng.gz --inventory inventory.yaml --out chart
  portolan analyze --per-host host-a.pcap host-b.pcap host-c.pcap --inventory inventory.yaml --out chart`,
    )
    .action(async (files: string[], options: AnalyzeOptions) =>
      (await import("../analyze.js")).analyze(files, options),
    );
}
