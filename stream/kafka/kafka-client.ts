/**
 * The one file that knows kafkajs 2.2.4. It is no longer maintained, so its version is pinned, what we found wrong in
 * it is answered here, and the rest of the house sees only `KafkaClient`. See docs/decisions for what was weighed.
 *
 * Three of its parts are replaced, since nothing in its interface reaches them:
 * - decoding of fetched records: its own has no bound, checks no checksum, and fails for ever on a batch that it cannot
 *   decompress; ours hands such a batch on as a message of its own.
 * - joining a group: its own gives partitions away and takes new ones without letting us finish or say where to begin.
 * - an offset out of range: its own commits the earliest or latest offset and goes on in silence.
 */
import { createRequire } from "node:module";
import type { Admin, Consumer, EachBatchPayload, IHeaders, Kafka, KafkaConfig, LogEntry } from "kafkajs";
import type { Message, Position } from "../carrier.js";
import { StreamError } from "../stream-error.js";
import { CODEC_NUMBERS, type Compression, compress, writableCompression } from "./compression.js";
import type { OpenedSettings } from "./kafka-settings.js";
import { logIdentity } from "./log-identity.js";
import { type LogRecord, type ReadBatch, readRecordSet } from "./record-batch.js";

const require = createRequire(import.meta.url);

/** Of a batch nobody could read: the code, and why in words. */
export interface Unreadable {
  readonly code: string;
  readonly why: string;
}

/** A record as the consumer gets it; `unreadable` where it stands for a whole batch, whose bytes are its value. */
export interface FetchedRecord extends LogRecord {
  readonly unreadable?: Unreadable;
}

/** What a member of a group decides; all are awaited before the group goes on. */
export interface GroupHooks {
  /** All partitions are about to leave; the answer is committed for the next owners. */
  readonly leaving: () => Promise<Position>;
  /** These have come; the answer says where to begin, the rest begins where the group last committed. */
  readonly joined: (source: string, partitions: readonly number[]) => Promise<Position>;
  /** Nothing stands at `from`; `earliest` is the first offset kept. Reading goes on at the answer. */
  readonly outOfRange: (partition: number, from: bigint, earliest: bigint) => Promise<bigint>;
  /** Resolves with whether the record was handled; when not, the rest is fetched again. */
  readonly record: (partition: number, record: FetchedRecord) => Promise<boolean>;
  /** The group is about to change, or a heartbeat says so: `record` should come to an end. */
  readonly changing: () => void;
}

export interface ClientConsumer {
  commit(position: Position): Promise<void>;
  close(): Promise<void>;
}

export interface ClientProducer {
  /** Resolves when every partition concerned has acknowledged. After a rejection the producer must be closed. */
  send(topic: string, messages: readonly Message[]): Promise<void>;
  close(): Promise<void>;
}

export interface TopicDescription {
  readonly partitions: number;
  readonly config: ReadonlyMap<string, string>;
}

export interface KafkaClient {
  /** @throws {StreamError} */
  producer(partitionOf: (key: string, partitions: number) => number | undefined): Promise<ClientProducer>;
  /** @throws {StreamError} */
  consumer(topic: string, group: string, hooks: GroupHooks): Promise<ClientConsumer>;
  brokerCount(): Promise<number>;
  /** Undefined where there is no such topic. @throws {StreamError} */
  describeTopic(topic: string): Promise<TopicDescription | undefined>;
  /** False where it was there already. @throws {StreamError} */
  createTopic(
    topic: string,
    partitions: number,
    copies: number,
    config: Readonly<Record<string, string>>,
  ): Promise<boolean>;
  close(): Promise<void>;
}

const KAFKAJS_VERSION = "2.2.4";
const HEARTBEAT_MS = 1_000;
const SESSION_MS = 15_000; // heartbeats go on beside the work, so only a dead process is silent this long
const REBALANCE_MS = 60_000;
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
  const record = { offset: last, timestampMs: Date.now(), key: null, value: bytes, headers, unreadable: { code, why } };
  return [{ ...about, isControlRecord: false, offset: String(last), key: null, record }];
}

/** Takes the place of kafkajs's `decodeMessages`. */
async function decodeMessages(decoder: FetchDecoder): Promise<PassedMessage[]> {
  const size = decoder.readInt32();
  if (size <= 0 || !decoder.canReadBytes(size)) return [];
  return readRecordSet(decoder.readBytes(size)).flatMap(passed);
}

/** What we use of kafkajs's consumer group. */
interface ConsumerGroup {
  readonly assigners: readonly { readonly hooks?: GroupHooks & { readonly topic: string } }[];
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
  const { joinAndSync } = prototype;
  prototype.joinAndSync = async function () {
    const hooks = this.assigners[0]?.hooks;
    if (hooks === undefined) return joinAndSync.call(this);
    const { topic } = hooks;
    const reached = await whileBeating(this, hooks.leaving);
    // A hint: when it does not come through, the next owner begins earlier and finds what it knows already.
    if (reached.size > 0) await this.commitOffsets(offsetsOf(topic, reached)).catch(() => {});
    await joinAndSync.call(this);
    const partitions = this.assigned().flatMap((each) => (each.topic === topic ? each.partitions : []));
    for (const partition of partitions) this.seekOffset.pop(topic, partition);
    if (partitions.length === 0) return;
    const wanted = await whileBeating(this, async () => {
      const source = await logIdentity(await this.cluster.findControllerBroker(), topic);
      return hooks.joined(source, partitions);
    });
    for (const [partition, offset] of wanted) this.seek({ topic, partition, offset: String(offset) });
  };
  const { recoverFromOffsetOutOfRange } = prototype;
  prototype.recoverFromOffsetOutOfRange = async function (error) {
    const hooks = this.assigners[0]?.hooks;
    const { topic, partition } = error;
    if (hooks === undefined || this.offsetManager === null) return recoverFromOffsetOutOfRange.call(this, error);
    const from = BigInt(this.offsetManager.nextOffset(topic, partition).toString());
    const asked = [{ topic, partitions: [{ partition }], fromBeginning: true }];
    const earliest = BigInt((await this.cluster.fetchTopicsOffset(asked))[0]?.partitions[0]?.offset ?? "0");
    const next = await whileBeating(this, () => hooks.outOfRange(partition, from, earliest));
    this.seek({ topic, partition, offset: String(next) });
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

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let each = error; each instanceof Error && !causes.includes(each); each = each.cause) causes.push(each);
  return causes;
}

const REFUSALS = /AUTHENTICATION|AUTHORIZATION|UNSUPPORTED_SASL|ILLEGAL_SASL|SECURITY_DISABLED/;
const LATE = /ConnectionError|ConnectionClosed|RequestTimeout|NoBrokerAvailable|BrokerNotFound|LockTimeout|Timeout/;

/** What went wrong, as a StreamError. */
export function streamError(what: string, brokers: readonly string[], error: unknown): StreamError {
  if (error instanceof StreamError) return error;
  const causes = causesOf(error);
  const [last] = causes.slice(-1);
  const message = `${what}: ${last?.message ?? String(error)}`;
  const has = (pattern: RegExp) =>
    causes.some((cause) => pattern.test(cause.name) || ("type" in cause && pattern.test(String(cause.type))));
  if (has(REFUSALS) || has(/SASLAuthentication/)) return new StreamError("refused", message, false, { cause: error });
  if (has(/^(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE)$/)) {
    return new StreamError("too-large", message, false, { cause: error });
  }
  if (has(LATE)) {
    const where = `Cannot reach Kafka at ${brokers.join(", ")}: ${last?.message ?? String(error)}`;
    return new StreamError("unreachable", where, true, { cause: error });
  }
  const isRetriable = causes.some((cause) => "retriable" in cause && cause.retriable === true);
  return new StreamError("failed", message, isRetriable, { cause: error });
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
      metadataMaxAge: 60_000,
      retry: RETRY,
      partitionAssigners: [(config) => ({ ...roundRobin(config), hooks: { ...hooks, topic } })],
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
      asking(`Cannot make topic "${topic}"`, (admin) =>
        admin.createTopics({
          waitForLeaders: true,
          timeout: 20_000,
          topics: [
            {
              topic,
              numPartitions: partitions,
              replicationFactor: copies,
              configEntries: Object.entries(topicConfig).map(([name, value]) => ({ name, value })),
            },
          ],
        }),
      ),
    async close() {},
  };
}
