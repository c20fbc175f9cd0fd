import { Command } from "commander";
import type { AlertDesk } from "../analyzer/alerts/alert-desk.js";
import { Analyzer } from "../analyzer/analyzer.js";
import { type AlertOptions, addAlertOptions, alertReceivers, startAlerts } from "./alert-option.js";
import { type AuditFileOptions, addAuditOptions, readAuditFiles } from "./audit-option.js";
import { EXIT, Failure } from "./failure.js";
import { followInventoryFile } from "./follow-inventory-file.js";
import { KafkaFollower } from "./follow-kafka.js";
import { addKafkaOptions, type KafkaOptions, kafkaSettings } from "./kafka-option.js";
import { DEFAULT_LISTEN, formatListen, type Listen, listenOption } from "./listen.js";
import { alertMetrics } from "./metrics/alert-metrics.js";
import { analyzerMetrics, caughtUpCondition, storeCondition } from "./metrics/analyzer-metrics.js";
import { probesOf } from "./metrics/show-probes.js";
import { readInventory } from "./read-inventory.js";
import { serveExplorer } from "./serve.js";
import { stopSignal } from "./stop-signal.js";

interface AnalyzerOptions extends KafkaOptions, AuditFileOptions, AlertOptions {
  readonly store: string;
  readonly inventory?: string;
  readonly group?: string;
  readonly listen: Listen;
  readonly allowedHost?: readonly string[];
  readonly json?: true;
}

const say = (text: string) => process.stderr.write(`${text}\n`);

async function analyze(options: AnalyzerOptions): Promise<void> {
  const settings = kafkaSettings("analyzer", options);
  if (settings === undefined) throw new Failure("Cannot follow flows: wanted --kafka HOST:PORT", EXIT.input);
  const inventory = options.inventory === undefined ? undefined : readInventory(options.inventory);
  const stopped = stopSignal();
  const audit = await readAuditFiles(options);
  const receivers = alertReceivers(options);
  const analyzer = await Analyzer.open({ path: options.store, inventory, audit });
  let alerts: AlertDesk | undefined;
  try {
    alerts = startAlerts(receivers, options, analyzer, audit.accepted, say);
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
      say(`explorer: ${server.url} (Ctrl-C or SIGTERM ends it)`);
      await stopped;
      say("ending: storing what is under way");
      unwatch();
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
    .action(analyze);
}
