import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Command } from "commander";
import { Analyzer } from "../analyzer/analyzer.js";
import { followFlows } from "../analyzer/ingest/follow-flows.js";
import { carrierSink } from "../collector/batch-sink.js";
import type { LiveState } from "../collector/live/live-capture.js";
import { type RunningCollector, startCollector } from "../collector/live/live-collector.js";
import { inProcessCarrier } from "../stream/in-process.js";
import { defaultInterface } from "./default-interface.js";
import { failureLines } from "./failure.js";
import { followInventoryFile } from "./follow-inventory-file.js";
import { hostInventory } from "./host-inventory.js";
import { DEFAULT_LISTEN, formatListen, type Listen, listenOption } from "./listen.js";
import { analyzerMetrics, storeCondition } from "./metrics/analyzer-metrics.js";
import { captureCondition } from "./metrics/capture-condition.js";
import { collectorMetrics } from "./metrics/collector-metrics.js";
import { probesOf } from "./metrics/show-probes.js";
import { readInventory } from "./read-inventory.js";
import { serveExplorer } from "./serve.js";
import { stopSignal } from "./stop-signal.js";

interface RunOptions {
  readonly interface: string;
  readonly inventory?: string;
  readonly store: string;
  readonly listen: Listen;
  readonly allowedHost?: readonly string[];
  readonly json?: true;
}

const say = (text: string) => process.stderr.write(`${text}\n`);

function sayState(state: LiveState): void {
  if (state.kind === "capturing") say(`capturing with ${state.program}`);
  else for (const line of failureLines(state.error)) say(`${line}; trying again until it returns`);
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
    .action(async (options: RunOptions) => {
      const inventory = options.inventory === undefined ? undefined : readInventory(options.inventory);
      const stopped = stopSignal();
      const analyzer = await Analyzer.open({ path: options.store, inventory });
      const carrier = inProcessCarrier();
      try {
        if (analyzer.inventory().workloads.length === 0) await analyzer.setInventory(hostInventory());
        const ingest = await followFlows(carrier, analyzer, { isLasting: false });
        let collector: RunningCollector | undefined;
        let capture: LiveState | undefined;
        let sendFailures = 0;
        const probes = probesOf("run", () => [storeCondition(analyzer.storeFault()), captureCondition(capture)], [
          ...collectorMetrics({
            isCapturing: () => [[options.interface, capture?.kind === "capturing"]],
            totals: () => collector?.totals(),
            sendFailures: () => sendFailures,
          }),
          ...analyzerMetrics({
            revision: () => analyzer.revision(),
            intake: () => analyzer.intake(),
            deadLetters: () => ingest.deadLetters(),
            storeFault: () => analyzer.storeFault(),
            storePath: options.store,
          }),
        ]);
        const server = await serveExplorer(analyzer, options.listen, false, {
          probes,
          ...(options.allowedHost === undefined ? {} : { allowedHosts: options.allowedHost }),
        });
        collector = await startCollector({
          interface: options.interface,
          collector: hostname(),
          boot: randomUUID(),
          sink: carrierSink(carrier),
          onState: (state) => {
            capture = state;
            sayState(state);
          },
          onSendError: (error) => {
            sendFailures++;
            for (const line of failureLines(error)) say(line);
          },
        }).catch(async (error: unknown) => {
          await server.close();
          throw error;
        });
        const unwatch =
          options.inventory === undefined ? () => {} : followInventoryFile(options.inventory, analyzer, say);
        say(`explorer: ${server.url} (Ctrl-C or SIGTERM ends it)`);
        await stopped;
        say("ending: storing what is under way");
        unwatch();
        const totals = await collector.stop();
        await ingest.drain();
        await server.close();
        process.stdout.write(
          options.json
            ? `${JSON.stringify({ packets: totals.packets, flows: totals.flows, lostPackets: totals.lost })}\n`
            : `${totals.packets} packets, ${totals.flows} flows stored in ${options.store}, ${totals.lost} packets lost\n`,
        );
      } finally {
        await carrier.close();
        await analyzer.close();
      }
    });
}
