/**
 * The one file that knows kafkajs 2.2.4. It is no longer maintained, so its version is pinned, what we found wrong in
 * it is answered here, and the rest of the house sees only `KafkaClient`. See docs/decisions for what was weighed.
 *
 * Four of its parts are replaced, since nothing in its interface reaches them:
 * - decoding of fetched records: its own has no bound, checks no checksum, and fails for ever on a batch that it cannot
 *   decompress; ours hands such a batch on as a message of its own.
 * - joining a group: its own gives partitions away and takes new ones without letting us finish or say where to begin.
 * - an offset out of range: its own commits the earliest or latest offset and goes on in silence.
 * - fetching: its own goes on at the old offsets of a topic that was deleted and made again.
 */
import { createRequire } from "node:module";
import { setTimeout as wait } from "node:timers/promises";
import type { Admin, Consumer, EachBatchPayload, IHeaders, Kafka, KafkaConfig, LogEntry } from "kafkajs";
import type { Position } from "../carrier.js";
import { StreamError } from "../stream-error.js";
import type { ClientConsumer, ClientProducer, FetchedRecord, GroupHooks, KafkaClient } from "./client.js";
import { CODEC_NUMBERS, compress, writableCompression } from "./compression.js";
import type { Compression } from "./compression-names.js";
import { streamError } from "./kafka-errors.js";
import type { OpenedSettings } from "./kafka-settings.js";
import { logIdentity } from "./log-identity.js";
import { type ReadBatch, readRecordSet } from "./record-batch.js";

const require = createRequire(import.meta.url);

const KAFKAJS_VERSION = "2.2.4";
const HEARTBEAT_MS = 1_000;
const SESSION_MS = 15_000; // heartbeats go on beside the work, so only a dead process is silent this long
const REBALANCE_MS = 60_000;
/** How soon a reader sees that a topic has come back or has more partitions. */
const METADATA_MS = 10_000;
const RESTART_MS = 2_000;
const CLOSE_LIMIT_MS = 10_000;
/** About 10 s in all: long enough for a new leader, short enough that the sender learns of an outage. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 };
/** More workers than partitions, so that no batch of an old assignment waits in a queue. */
const WORKERS = 64;

/** A message in the shape that kafkajs passes through; `unreadable` rides along. */
interface PassedMessage {
  readonly offset: string;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
  readonly key: Buffer | null;
  readonly record: FetchedRecord;
}

interface FetchDecoder {
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

function passed({ first, last, producerId, isTransactional, isControl, content }: ReadBatch): PassedMessage[] {
  const batchContext = { producerId: String(producerId), inTransaction: isTransactional };
  const about = { isControlRecord: isControl, batchContext };
  if (content.kind === "records") {
    return content.records.map((record) => ({ ...about, offset: String(record.offset), key: record.key, record }));
  }
  const { code, why, bytes } = content;
  const headers = { "portolan-first-offset": String(first) };
  const unreadable = { code, why };
  const stamp = { timestampMs: Date.now(), stampedBy: "sender" } as const;
  const record = { offset: last, ...stamp, key: null, value: bytes, headers, unreadable };
  return [{ ...about, isControlRecord: false, offset: String(last), key: null, record }];
}

/** Takes the place of kafkajs's `decodeMessages`. */
async function decodeMessages(decoder: FetchDecoder): Promise<PassedMessage[]> {
  const size = decoder.readInt32();
  if (size <= 0 || !decoder.canReadBytes(size)) return [];
  return readRecordSet(decoder.readBytes(size)).flatMap(passed);
}

/** Our own part of a consumer group, which kafkajs carries along with its way to assign partitions. */
interface OurGroup {
  readonly topic: string;
  readonly hooks: GroupHooks;
  /** The log that is read, when to look next whether it still is that one, and the look that is under way. */
  source: string | undefined;
  lookAtMs: number;
  looking: Promise<boolean> | undefined;
}

/** What we use of kafkajs's consumer group. */
interface ConsumerGroup {
  readonly assigners: readonly { readonly ours?: OurGroup }[];
  readonly cluster: {
    fetchTopicsOffset(
      topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
    ): Promise<{ partitions: { offset: string }[] }[]>;
    refreshMetadata(): Promise<void>;
    findControllerBroker(): Promise<{ readonly connectionPool: { send(request: object): Promise<unknown> } }>;
  };
  readonly offsetManager: { nextOffset(topic: string, partition: number): { toString(): string } } | null;
  readonly seekOffset: { pop(topic: string, partition: number): unknown };
  assigned(): { topic: string; partitions: number[] }[];
  heartbeat(options: { interval: number }): Promise<void>;
  seek(place: { topic: string; partition: number; offset: string }): void;
  commitOffsets(offsets: object): Promise<void>;
  joinAndSync(): Promise<void>;
  recoverFromOffsetOutOfRange(error: { topic: string; partition: number }): Promise<void>;
  fetch(nodeId: number): Promise<unknown[]>;
  recoverFromFetch(error: unknown): Promise<void>;
}

/** Keeps the membership alive while something takes its time. */
async function whileBeating<T>(group: ConsumerGroup, work: () => Promise<T>): Promise<T> {
  const beat = setInterval(() => void group.heartbeat({ interval: HEARTBEAT_MS }).catch(() => {}), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}

function offsetsOf(topic: string, position: Position) {
  const partitions = Array.from(position, ([partition, offset]) => ({ partition, offset: String(offset) }));
  return { topics: partitions.length === 0 ? [] : [{ topic, partitions }] };
}

/** Looks whether the log is still the one that was joined; where it is another, joins anew. */
async function isSameLog(group: ConsumerGroup, ours: OurGroup): Promise<boolean> {
  const source = await logIdentity(await group.cluster.findControllerBroker(), ours.topic);
  ours.lookAtMs = Date.now() + METADATA_MS;
  if (source === ours.source) return true;
  await group.cluster.refreshMetadata();
  await group.joinAndSync();
  return false;
}

function replaceParts(): typeof import("kafkajs") {
  const { version } = require("kafkajs/package.json") as { version: string };
  if (version !== KAFKAJS_VERSION) throw new Error(`Cannot use kafkajs ${version}: wanted ${KAFKAJS_VERSION}`);
  // Before anything else of kafkajs is loaded, since the decoders of all versions take it when they are.
  const decoding = require.resolve("kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js");
  require(decoding);
  const loaded = require.cache[decoding];
  if (loaded === undefined) throw new Error("Cannot replace kafkajs's decoder: it is not where it was");
  loaded.exports = decodeMessages;

  const { prototype } = require("kafkajs/src/consumer/consumerGroup.js") as { prototype: ConsumerGroup };
  const { joinAndSync, recoverFromOffsetOutOfRange, fetch, recoverFromFetch } = prototype;
  prototype.joinAndSync = async function () {
    const ours = this.assigners[0]?.ours;
    if (ours === undefined) return joinAndSync.call(this);
    const { topic, hooks } = ours;
    const reached = await whileBeating(this, hooks.leaving);
    // A hint: when it does not come through, the next owner begins earlier and finds what it knows already.
    if (reached.size > 0) await this.commitOffsets(offsetsOf(topic, reached)).catch(() => {});
    await joinAndSync.call(this);
    const partitions = this.assigned().flatMap((each) => (each.topic === topic ? each.partitions : []));
    for (const partition of partitions) this.seekOffset.pop(topic, partition);
    if (partitions.length === 0) return;
    const wanted = await whileBeating(this, async () => {
      const source = await logIdentity(await this.cluster.findControllerBroker(), topic);
      ours.source = source;
      ours.lookAtMs = Date.now() + METADATA_MS;
      return hooks.joined(source, partitions);
    });
    for (const [partition, offset] of wanted) this.seek({ topic, partition, offset: String(offset) });
  };
  prototype.recoverFromOffsetOutOfRange = async function (error) {
    const hooks = this.assigners[0]?.ours?.hooks;
    const { topic, partition } = error;
    if (hooks === undefined || this.offsetManager === null) return recoverFromOffsetOutOfRange.call(this, error);
    const from = BigInt(this.offsetManager.nextOffset(topic, partition).toString());
    const asked = [{ topic, partitions: [{ partition }], fromBeginning: true }];
    const earliest = BigInt((await this.cluster.fetchTopicsOffset(asked))[0]?.partitions[0]?.offset ?? "0");
    const next = await whileBeating(this, () => hooks.outOfRange(partition, from, earliest));
    this.seek({ topic, partition, offset: String(next) });
  };
  prototype.recoverFromFetch = function (error) {
    const ours = this.assigners[0]?.ours;
    // It may come back as another one before we hear of it again.
    const isGone = error instanceof Error && "type" in error && error.type === "UNKNOWN_TOPIC_OR_PARTITION";
    if (ours !== undefined && isGone) ours.lookAtMs = 0;
    return recoverFromFetch.call(this, error);
  };
  prototype.fetch = async function (nodeId) {
    const ours = this.assigners[0]?.ours;
    const isDue = ours?.source !== undefined && (ours.looking !== undefined || Date.now() >= ours.lookAtMs);
    if (ours === undefined || !isDue) return fetch.call(this, nodeId);
    ours.looking ??= isSameLog(this, ours).finally(() => {
      ours.looking = undefined;
    });
    try {
      if (await ours.looking) return fetch.call(this, nodeId);
    } catch (error) {
      await this.recoverFromFetch(error);
    }
    return [];
  };

  const kafkajs = require("kafkajs") as typeof import("kafkajs");
  for (const [name, number] of Object.entries(CODEC_NUMBERS) as [Compression, 1 | 3 | 4][]) {
    if (name === "none") continue;
    kafkajs.CompressionCodecs[number] = () => ({
      compress: async ({ buffer }: { buffer: Buffer }) => compress(name, buffer),
    });
  }
  return kafkajs;
}

const kafkajs = replaceParts();

/** Messages of kafkajs that say what an operator would want to hear in other words, or not at all. */
const QUIET = /^(Response |Connection |Failed to send messages|Limiting retries|Crash: |Restarting the consumer)/;

/** One line from a log entry; of its details only those named here, so that no secret can ride along. */
function lineOf({ log }: LogEntry): string {
  const details = ["broker", "groupId", "topic", "partition", "error"].flatMap((name) => {
    const value: unknown = log[name];
    return typeof value === "string" || typeof value === "number" ? [`${name} ${value}`] : [];
  });
  return `Kafka: ${log.message}${details.length === 0 ? "" : ` (${details.join(", ")})`}`;
}

/** Resolves at the latest after the limit: a broker that is gone must not keep a process from ending. */
async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work.then(() => {}).catch(() => {}), limit]);
  clearTimeout(timer);
}

async function connectProducer(
  kafka: Kafka,
  compression: Compression,
  partitionOf: (key: string, partitions: number) => number | undefined,
  failing: (what: string) => (error: unknown) => never,
): Promise<ClientProducer> {
  const byHash = kafkajs.Partitioners.DefaultPartitioner();
  const used = new Set<number>();
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    retry: RETRY,
    createPartitioner: () => (args) => {
      const partition =
        partitionOf(String(args.message.key ?? ""), args.partitionMetadata.length) ?? byHash({ ...args });
      used.add(partition);
      return partition;
    },
  });
  await producer.connect();
  return {
    async send(topic, messages) {
      used.clear();
      const request = producer.send({
        topic,
        acks: -1,
        timeout: 20_000,
        compression: CODEC_NUMBERS[compression],
        messages: messages.map(({ key, value, headers }) => ({
          key,
          value: value.length === 0 ? null : Buffer.from(value.buffer, value.byteOffset, value.length),
          headers: headers as IHeaders,
        })),
      });
      const answers = await request.catch(failing(`Cannot send to "${topic}"`));
      // When a leader moves to a broker that has answered already, kafkajs takes its partition for answered too.
      const answered = new Set(answers.map(({ partition }) => partition));
      for (const partition of used) {
        if (!answered.has(partition)) {
          throw new StreamError("failed", `Cannot send to "${topic}": partition ${partition} was not answered`, true);
        }
      }
    },
    close: () => atMost(CLOSE_LIMIT_MS, producer.disconnect()),
  };
}

/** The handler of fetched batches: one record after the other, with heartbeats beside it. */
function eachBatch(hooks: GroupHooks) {
  return async ({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> => {
    let failure: unknown;
    const beat = setInterval(() => {
      heartbeat().catch((error: unknown) => {
        failure = error;
        hooks.changing();
      });
    }, HEARTBEAT_MS);
    try {
      for (const message of batch.messages as unknown as PassedMessage[]) {
        if (failure !== undefined || !isRunning() || isStale()) break;
        if (!(await hooks.record(batch.partition, message.record))) break;
        resolveOffset(message.offset);
      }
    } finally {
      clearInterval(beat);
    }
    if (failure !== undefined) throw failure;
  };
}

async function startConsumer(
  kafka: Kafka,
  topic: string,
  group: string,
  hooks: GroupHooks,
  { brokers, say = () => {} }: OpenedSettings,
): Promise<ClientConsumer> {
  let consumer: Consumer;
  let isClosed = false;
  let restart: NodeJS.Timeout | undefined;

  async function start(): Promise<void> {
    const roundRobin = kafkajs.PartitionAssigners.roundRobin;
    const each = kafka.consumer({
      groupId: group,
      allowAutoTopicCreation: false,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: 250,
      maxBytes: 8 * 1024 * 1024,
      maxBytesPerPartition: 1024 * 1024,
      metadataMaxAge: METADATA_MS,
      retry: RETRY,
      partitionAssigners: [
        (config) => ({
          ...roundRobin(config),
          ours: { topic, hooks, source: undefined, lookAtMs: 0, looking: undefined },
        }),
      ],
    });
    consumer = each;
    each.on(each.events.CRASH, ({ payload }) => {
      // kafkajs starts again by itself after what it takes for passing; the rest passes too, when somebody mends it.
      if (isClosed || consumer !== each) return;
      const { message } = streamError(`Cannot read "${topic}", trying again`, brokers, payload.error);
      say(payload.restart ? "warn" : "error", message);
      if (!payload.restart) again();
    });
    await each.connect();
    await each.subscribe({ topics: [topic], fromBeginning: true });
    await each.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: WORKERS,
      eachBatch: eachBatch(hooks),
    });
  }
  function again(): void {
    restart = setTimeout(() => {
      start().catch((error: unknown) => {
        say("error", streamError(`Cannot read "${topic}", trying again`, brokers, error).message);
        if (!isClosed) again();
      });
    }, RESTART_MS);
  }
  await start();
  return {
    async commit(position) {
      const offsets = Array.from(position, ([partition, offset]) => ({ topic, partition, offset: String(offset) }));
      if (offsets.length > 0) await atMost(CLOSE_LIMIT_MS, consumer.commitOffsets(offsets));
    },
    async close() {
      isClosed = true;
      clearTimeout(restart);
      await atMost(CLOSE_LIMIT_MS, consumer.disconnect());
    },
  };
}

/** Resolves when every partition of a new topic has a leader. @throws what Kafka says when that takes too long */
async function untilLed(admin: Admin, topic: string): Promise<void> {
  for (const limit = Date.now() + 20_000; ; await wait(50)) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      if (topics[0]?.partitions.every(({ leader }) => leader >= 0)) return;
      if (Date.now() > limit) throw new StreamError("failed", `Topic "${topic}" has no leader yet`, true);
    } catch (error) {
      if (Date.now() > limit) throw error;
    }
  }
}

const TOPIC_CONFIG = 2; // the kind of resource whose configuration is asked for

/** Connects nothing yet. */
export function kafkaClient(settings: OpenedSettings): KafkaClient {
  const { brokers, clientId, tls, sasl, say = () => {} } = settings;
  const wanted = settings.compression ?? "lz4";
  const compression = writableCompression(wanted);
  if (compression !== wanted) say("warn", `Kafka: ${wanted} is not to be had on this Node; writing ${compression}`);
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    retry: RETRY,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    ...(tls === undefined ? {} : { ssl: { ...tls } }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism.toLowerCase() as "plain",
            username: sasl.username,
            password: sasl.password,
          },
        }),
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => {
      if (entry.level > kafkajs.logLevel.WARN || QUIET.test(entry.log.message)) return;
      say(entry.level === kafkajs.logLevel.ERROR ? "error" : "warn", lineOf(entry));
    },
  };
  const kafka = new kafkajs.Kafka(config);
  const failing =
    (what: string) =>
    (error: unknown): never => {
      throw streamError(what, brokers, error);
    };

  /** Runs with an admin connection of its own: these questions are rare, and an idle connection would only age. */
  async function asking<T>(what: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafka.admin({ retry: RETRY });
    try {
      await admin.connect();
      return await ask(admin);
    } catch (error) {
      throw streamError(what, brokers, error);
    } finally {
      await atMost(CLOSE_LIMIT_MS, admin.disconnect());
    }
  }

  return {
    producer: (partitionOf) =>
      connectProducer(kafka, compression, partitionOf, failing).catch(failing("Cannot send to Kafka")),
    consumer: (topic, group, hooks) =>
      startConsumer(kafka, topic, group, hooks, settings).catch(failing(`Cannot read "${topic}"`)),
    brokerCount: () =>
      asking("Cannot ask Kafka for its brokers", async (admin) => (await admin.describeCluster()).brokers.length),
    describeTopic: (topic) =>
      asking(`Cannot describe topic "${topic}"`, async (admin) => {
        if (!(await admin.listTopics()).includes(topic)) return undefined;
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: TOPIC_CONFIG, name: topic }],
        });
        const entries = resources[0]?.configEntries ?? [];
        return {
          partitions: topics[0]?.partitions.length ?? 0,
          config: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
        };
      }),
    createTopic: (topic, partitions, copies, topicConfig) =>
      asking(`Cannot make topic "${topic}"`, async (admin) => {
        const isMade = await admin.createTopics({
          waitForLeaders: false, // kafkajs's own waiting fails while a broker has not heard of the topic
          timeout: 20_000,
          topics: [
            {
              topic,
              numPartitions: partitions,
              replicationFactor: copies,
              configEntries: Object.entries(topicConfig).map(([name, value]) => ({ name, value })),
            },
          ],
        });
        await untilLed(admin, topic);
        return isMade;
      }),
    async close() {},
  };
}
