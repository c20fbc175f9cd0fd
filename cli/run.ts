import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Analyzer } from "../analyzer/analyzer.js";
import { followFlows } from "../analyzer/ingest/follow-flows.js";
import { carrierSink } from "../collector/batch-sink.js";
import type { LiveState } from "../collector/live/live-capture.js";
import { type RunningCollector, startCollector } from "../collector/live/live-collector.js";
import { inProcessCarrier } from "../stream/in-process.js";
import { failureLines } from "./failure.js";
import { followInventoryFile } from "./follow-inventory-file.js";
import { hostInventory } from "./host-inventory.js";
import { analyzerMetrics, storeCondition } from "./metrics/analyzer-metrics.js";
import { captureCondition } from "./metrics/capture-condition.js";
import { collectorMetrics } from "./metrics/collector-metrics.js";
import { probesOf } from "./metrics/show-probes.js";
import { readInventory } from "./read-inventory.js";
import { serveExplorer } from "./serve.js";
import { stopSignal } from "./stop-signal.js";
import type { RunOptions } from "./verbs/run.js";

const say = (text: string) => process.stderr.write(`${text}\n`);

function sayState(state: LiveState): void {
  if (state.kind === "capturing") say(`capturing with ${state.program}`);
  else for (const line of failureLines(state.error)) say(`${line}; trying again until it returns`);
}

export async function run(options: RunOptions): Promise<void> {
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
    const unwatch = options.inventory === undefined ? () => {} : followInventoryFile(options.inventory, analyzer, say);
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
}
