import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { Collection, type CollectionTotals } from "../collector/collection.js";
import type { LiveState } from "../collector/live/live-capture.js";
import { kafkaCarrier } from "../stream/kafka/kafka-carrier.js";
import type { KafkaSettings } from "../stream/kafka/kafka-settings.js";
import { lateCarrier } from "../stream/late-carrier.js";
import { StreamError } from "../stream/stream-error.js";
import { reportCaptureErrors } from "./capture-errors.js";
import { defaultInterface } from "./default-interface.js";
import { EXIT, Failure, failureLines } from "./failure.js";
import { kafkaSettings } from "./kafka-option.js";
import { makeFolder } from "./make-folder.js";
import { collectionConditions, collectionMetrics } from "./metrics/collection-metrics.js";
import { stopSignal } from "./stop-signal.js";
import type { CollectOptions } from "./verbs/collect.js";
import { VERSION } from "./version.js";

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

/** Shows metrics and health where that is asked for. */
async function show(collection: Collection, options: CollectOptions): Promise<{ close(): Promise<void> }> {
  if (options.metricsListen === undefined && options.metricsFile === undefined) return { close: async () => {} };
  const { probesOf, showProbes } = await import("./metrics/show-probes.js");
  return showProbes(
    probesOf("collect", () => collectionConditions(collection), collectionMetrics(collection)),
    options,
    (error) => failureLines(error).forEach((line) => say(line)),
  );
}

async function collectTo(settings: KafkaSettings, options: CollectOptions): Promise<void> {
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
  const shown = await show(collection, options);
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

export async function collect(options: CollectOptions): Promise<void> {
  const settings = kafkaSettings("collect", options);
  if (settings === undefined) {
    throw new Failure("Cannot collect: no broker is named; wanted --kafka HOST:PORT", EXIT.input);
  }
  if (options.read !== undefined && options.interface !== undefined) {
    throw new Failure("Cannot collect: wanted --interface or --read, not both", EXIT.input);
  }
  await collectTo(settings, options);
  process.exit(); // the client may still be trying to reach a broker that is away; what it would send is in the spool
}
