import type { AlertDesk } from "../analyzer/alerts/alert-desk.js";
import { Analyzer } from "../analyzer/analyzer.js";
import { EXIT, Failure } from "./failure.js";
import { followInventoryFile } from "./follow-inventory-file.js";
import { KafkaFollower } from "./follow-kafka.js";
import { kafkaSettings } from "./kafka-option.js";
import { alertMetrics } from "./metrics/alert-metrics.js";
import { analyzerMetrics, caughtUpCondition, storeCondition } from "./metrics/analyzer-metrics.js";
import { probesOf } from "./metrics/show-probes.js";
import { followAuditFiles, readAuditFiles } from "./read-audit-files.js";
import { readInventory } from "./read-inventory.js";
import { serveExplorer } from "./serve.js";
import { alertReceivers, startAlerts } from "./start-alerts.js";
import { stopSignal } from "./stop-signal.js";
import type { AnalyzerOptions } from "./verbs/analyzer.js";

const say = (text: string) => process.stderr.write(`${text}\n`);

export async function followAsAnalyzer(options: AnalyzerOptions): Promise<void> {
  const settings = kafkaSettings("analyzer", options);
  if (settings === undefined) throw new Failure("Cannot follow flows: wanted --kafka HOST:PORT", EXIT.input);
  const inventory = options.inventory === undefined ? undefined : readInventory(options.inventory);
  const stopped = stopSignal();
  const audit = await readAuditFiles(options);
  const receivers = alertReceivers(options);
  const analyzer = await Analyzer.open({ path: options.store, inventory, audit });
  let alerts: AlertDesk | undefined;
  try {
    alerts = startAlerts(receivers, options, analyzer, say);
    const follower = await KafkaFollower.start(settings, analyzer, {
      group: options.group,
      withInventory: inventory === undefined,
      say,
    });
    try {
      const conditions = () => [
        storeCondition(analyzer.storeFault()),
        follower.condition(),
        caughtUpCondition(analyzer.intake()),
      ];
      const view = {
        revision: () => analyzer.revision(),
        intake: () => analyzer.intake(),
        deadLetters: () => follower.deadLetters(),
        storeFault: () => analyzer.storeFault(),
        storePath: options.store,
      };
      const server = await serveExplorer(analyzer, options.listen, false, {
        probes: probesOf("analyzer", conditions, [...analyzerMetrics(view), ...alertMetrics(() => alerts?.figures())]),
        ...(options.allowedHost === undefined ? {} : { allowedHosts: options.allowedHost }),
      });
      const unwatch =
        options.inventory === undefined ? () => {} : followInventoryFile(options.inventory, analyzer, say);
      const unfollow = followAuditFiles(options, analyzer, say);
      say(`explorer: ${server.url} (Ctrl-C or SIGTERM ends it)`);
      await stopped;
      say("ending: storing what is under way");
      unwatch();
      unfollow();
      await server.close();
    } finally {
      await follower.close();
    }
  } finally {
    await alerts?.close();
    await analyzer.close();
  }
  const { batches, duplicates, flows } = analyzer.intake();
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ batches, duplicates, flows })}\n`
      : `${flows} flows of ${batches} batches stored in ${options.store}, ${duplicates} batches came twice\n`,
  );
  process.exit(); // the client may still be trying to reach a cluster that is away; the store is closed
}
