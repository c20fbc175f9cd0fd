import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import { Collection, type CollectionTotals } from "../collector/collection.js";
import type { LiveState } from "../collector/live/live-capture.js";
import { kafkaCarrier } from "../stream/kafka/kafka-carrier.js";
import type { KafkaSettings } from "../stream/kafka/kafka-settings.js";
import { lateCarrier } from "../stream/late-carrier.js";
import { StreamError } from "../stream/stream-error.js";
import { byteSize } from "./byte-size.js";
import { reportCaptureErrors } from "./capture-errors.js";
import { defaultInterface } from "./default-interface.js";
import { EXIT, Failure, failureLines } from "./failure.js";
import { addKafkaOptions, type KafkaOptions, kafkaSettings } from "./kafka-option.js";
import { makeFolder } from "./make-folder.js";
import { collectionConditions, collectionMetrics } from "./metrics/collection-metrics.js";
import { type MetricsOptions, withMetricsOptions } from "./metrics/metrics-options.js";
import { probesOf, showProbes } from "./metrics/show-probes.js";
import { stopSignal } from "./stop-signal.js";
import { VERSION } from "./version.js";

interface CollectOptions extends KafkaOptions, MetricsOptions {
  readonly interface?: readonly string[];
  readonly read?: readonly string[];
  readonly speed?: number;
  readonly collector?: string;
  readonly spool: string;
  readonly spoolSize: number;
  readonly json?: true;
}

const LEAST_SPOOL = 256 << 10;
/** A wrong setting ends the program where it shows at once; a broker that is away does not. */
const FIRST_CONNECT_MS = 1_000;
const LAST_CLOSE_MS = 1_000;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** What the broker's client has to say; the same line again and again, once. */
function sayOnce(): (level: string, line: string) => void {
  let before = "";
  return (_, line) => {
    if (line !== before) say(line);
    before = line;
  };
}

function sayState(name: string, state: LiveState): void {
  if (state.kind === "capturing") say(`capturing on ${name} with ${state.program}`);
  else for (const line of failureLines(state.error)) say(`${line}; trying again until it returns`);
}

function sayTrouble(error: unknown): void {
  if (error === undefined) say("the broker takes batches again");
  else for (const line of failureLines(error)) say(`${line}; what is seen is kept in the spool until it does`);
}

function speed(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1e6)) throw new InvalidArgumentError("wanted a number above 0 such as 1 or 10");
  return value;
}

function printTotals({ packets, flows, lostPackets, sentFlows, spool }: CollectionTotals, isJson: boolean): void {
  const { batches, lostBatches, lostFlows } = spool;
  const totals = { packets, flows, lostPackets, sentFlows, waitingBatches: batches, lostBatches, lostFlows };
  const kept = batches === 0 ? "" : `, ${batches} batches kept in the spool for the next start`;
  const lost = lostFlows === 0 ? "" : `, ${lostFlows} flows lost for want of room`;
  process.stdout.write(
    isJson
      ? `${JSON.stringify(totals)}\n`
      : `${packets} packets, ${flows} flows, ${lostPackets} packets lost; ${sentFlows} flows sent${kept}${lost}\n`,
  );
}

async function collect(settings: KafkaSettings, options: CollectOptions): Promise<void> {
  const stopped = stopSignal();
  const tell = sayOnce();
  const carrier = lateCarrier(() => kafkaCarrier({ ...settings, say: tell }));
  try {
    makeFolder(options.spool);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(`Cannot open spool "${options.spool}": ${why}`, EXIT.environment, { cause: error });
  }
  const collection = new Collection({
    collector: options.collector ?? hostname(),
    boot: randomUUID(),
    software: VERSION,
    spoolFolder: options.spool,
    spoolBytes: options.spoolSize,
    carrier,
    onTrouble: sayTrouble,
  });
  const connecting = carrier.connect().catch((error: unknown) => {
    if (error instanceof StreamError && error.code === "setting") throw error;
  });
  connecting.catch(() => {}); // the first batch meets it again
  const shown = await showProbes(
    probesOf("collect", () => collectionConditions(collection), collectionMetrics(collection)),
    options,
    (error) => failureLines(error).forEach((line) => say(line)),
  );
  let isEnding = false; // in good order
  try {
    await Promise.race([connecting, wait(FIRST_CONNECT_MS)]);
    const abort = new AbortController();
    void stopped.then(() => abort.abort());
    if (options.read === undefined) {
      await collection.capture(options.interface ?? [defaultInterface()], sayState);
      await stopped;
    } else {
      const totals = await collection.read(options.read, abort.signal, options.speed);
      reportCaptureErrors(totals?.errors ?? []);
      await collection.sent(abort.signal);
    }
    say("ending: sending what is under way");
    isEnding = true;
  } finally {
    await shown.close();
    const totals = await collection.end();
    if (isEnding) printTotals(totals, options.json === true);
    await Promise.race([carrier.close().catch(() => {}), wait(LAST_CLOSE_MS)]);
  }
}

export function collectCommand(): Command {
  const command = new Command("collect")
    .description("collect the flows of this host, or of captures, and send them to analyzers through Kafka")
    .option("-I, --interface <name...>", `interfaces to capture on (default: ${defaultInterface()})`)
    .option("--read <file...>", "read these captures instead, as one collector")
    .option("--speed <factor>", "read them at so many times the speed of their own clock, as live traffic", speed)
    .option("--collector <id>", "what this collector is called, the same at each start (default: the host name)")
    .option("--spool <dir>", "folder for what the broker has not taken yet", "portolan-spool")
    .option("--spool-size <bytes>", "room for it, such as 512M or 2G", byteSize(LEAST_SPOOL), 2 ** 30)
    .option("--json", "print the totals as JSON at the end");
  withMetricsOptions(addKafkaOptions(command)).addHelpText(
    "after",
    `
Capturing wants root or cap_net_raw. It begins also while the broker is away: flows wait in the spool, and when that is
full the oldest go and the gap is told. SIGTERM and Ctrl-C end the capture, send what is under way for some seconds, and
leave the rest to the next start.

Example:
  sudo portolan collect --interface eth0 --kafka broker.example:9092 --spool /var/lib/portolan/spool`,
  );
  return command.action(async (options: CollectOptions) => {
    const settings = kafkaSettings("collect", options);
    if (settings === undefined) {
      throw new Failure("Cannot collect: no broker is named; wanted --kafka HOST:PORT", EXIT.input);
    }
    if (options.read !== undefined && options.interface !== undefined) {
      throw new Failure("Cannot collect: wanted --interface or --read, not both", EXIT.input);
    }
    await collect(settings, options);
    process.exit(); // the client may still be trying to reach a broker that is away; what it would send is in the spool
  });
}
