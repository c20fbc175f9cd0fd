import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { FLOW_BUCKETS } from "../../../model/flow-bucket.js";
import type { Carrier, Loss } from "../../../stream/carrier.js";
import { DeadLetters } from "../../../stream/dead-letters.js";
import { kafkaCarrier } from "../../../stream/kafka/kafka-carrier.js";
import { kafkaClient } from "../../../stream/kafka/kafka-client.js";
import { StreamError } from "../../../stream/stream-error.js";
import { message, noting, textOf, until } from "../carrier-contract.js";
import { startBroker } from "../kafka-broker.js";

const broker = await startBroker({
  properties: { "log.initial.task.delay.ms": "200", "log.retention.check.interval.ms": "300" },
});
after(() => broker.stop());
const brokers = [broker.bootstrap];
let prefixes = 0;
const freshPrefix = () => `f${prefixes++}.`;

/** Runs with carriers of one prefix, closed at the end. */
async function withCarriers(
  run: (open: () => Promise<Carrier>, prefix: string, said: string[]) => Promise<void>,
): Promise<void> {
  const prefix = freshPrefix();
  const carriers: Carrier[] = [];
  const said: string[] = [];
  try {
    await run(
      async () => {
        const clientId = `test-${carriers.length}`;
        const say = (level: string, line: string) => void said.push(`${level} ${line}`);
        const carrier = await kafkaCarrier({ brokers, clientId, prefix, say });
        carriers.push(carrier);
        return carrier;
      },
      prefix,
      said,
    );
  } finally {
    await Promise.all(carriers.map((carrier) => carrier.close()));
  }
}

/** Bytes that no codec makes smaller, the same each time. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = 1; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** Sends until the carrier has it, as a spool does. */
async function sendSurely(carrier: Carrier, key: string, text: string): Promise<void> {
  for (;;) {
    try {
      await carrier.send("portolan.flows", message(key, text));
      return;
    } catch (error) {
      if (!(error instanceof StreamError) || !error.isRetriable) throw error;
    }
  }
}

test("a topic is made as documented, and one that was there with other settings is reported and left", async () => {
  await withCarriers(async (open, prefix, said) => {
    const client = kafkaClient({ brokers, clientId: "operator", tls: undefined, sasl: undefined });
    await client.createTopic(`${prefix}portolan.flows`, 3, 1, { "retention.ms": "1000" });
    const carrier = await open();
    await carrier.send("portolan.sensors", message("host", "{}"));
    await carrier.send("portolan.flows", message("0", ""));
    const sensors = await client.describeTopic(`${prefix}portolan.sensors`);
    assert.equal(sensors?.partitions, 1);
    assert.equal(sensors?.config.get("cleanup.policy"), "compact");
    assert.equal(sensors?.config.get("message.timestamp.type"), "LogAppendTime");
    assert.equal(sensors?.config.get("max.message.bytes"), "8388608");
    const flows = await client.describeTopic(`${prefix}portolan.flows`);
    assert.deepEqual([flows?.partitions, flows?.config.get("retention.ms")], [3, "1000"]);
    assert.deepEqual(
      said.filter((line) => line.startsWith("warn")),
      [
        `partitions 3, wanted ${FLOW_BUCKETS}`,
        "retention.ms 1000, wanted 259200000",
        "max.message.bytes 1048588, wanted 8388608",
      ].map((difference) => `warn Topic "${prefix}portolan.flows" has ${difference}; left as it is`),
    );
  });
});

test("a decompression bomb is put aside with its place, and what stands behind it is read", async () => {
  await withCarriers(async (open, prefix) => {
    const carrier = await open();
    await carrier.send("portolan.policies", message("k", "before"));
    // Not through the carrier, which would refuse it: 64 MiB of zeros in one gzip batch.
    const client = kafkaClient({ brokers, clientId: "stranger", compression: "gzip", tls: undefined, sasl: undefined });
    const producer = await client.producer(() => 0);
    await producer.send(`${prefix}portolan.policies`, [
      { key: "k", value: new Uint8Array(64 * 1024 * 1024).fill(32), headers: {} },
    ]);
    await producer.close();
    await carrier.send("portolan.policies", message("k", "behind"));
    const letters = new DeadLetters(carrier);
    const texts: string[] = [];
    await carrier.subscribe("portolan.policies", {
      positions: async () => new Map(),
      async handle(received) {
        const text = await letters.read(received, textOf);
        if (text !== undefined) texts.push(text);
      },
    });
    await until("the message behind the bomb", () => texts.includes("behind"));
    assert.deepEqual(texts, ["before", "behind"]);
    assert.deepEqual(letters.counts(), { byCode: { "too-large-inside": 1 }, total: 1, unkept: 0 });
    const { seen, consumption } = noting();
    await carrier.subscribe("portolan.dead-letters", consumption);
    await until("the dead letter", () => seen.length === 1);
    const { "portolan-reason": reason, "portolan-bytes": bytes, ...place } = seen[0]?.headers ?? {};
    assert.deepEqual(place, {
      "portolan-topic": "portolan.policies",
      "portolan-partition": "0",
      "portolan-offset": "1",
      "portolan-code": "too-large-inside",
    });
    assert.ok(reason);
    assert.ok(Number(bytes) > 60_000 && Number(bytes) < 1024 * 1024);
  });
});

test("what retention has taken is told with its bounds, and reading goes on behind it", async () => {
  await withCarriers(async (open, prefix) => {
    const client = kafkaClient({ brokers, clientId: "operator", tls: undefined, sasl: undefined });
    const tight = { "segment.bytes": "1048576", "retention.bytes": "1048576", "max.message.bytes": "8388608" };
    await client.createTopic(`${prefix}portolan.policies`, 1, 1, tight);
    const carrier = await open();
    const value = noise(700_000);
    for (let i = 0; i < 6; i++) await carrier.send("portolan.policies", { key: String(i), value, headers: {} });
    // A message a segment, of which two are kept: what is deleted while somebody reads might be told in two parts.
    const log = join(broker.folder, "1/data", `${prefix}portolan.policies-0`);
    await until("two segments", () => readdirSync(log).filter((name) => name.endsWith(".log")).length === 2);
    const losses: Loss[] = [];
    const { seen, consumption } = noting({
      positions: async () => new Map([[0, 1n]]),
      onLost: async (loss) => void losses.push(loss),
    });
    await carrier.subscribe("portolan.policies", consumption);
    await until("the last message", () => seen.some(({ key }) => key === "5"));
    const [loss] = losses;
    assert.equal(losses.length, 1);
    assert.equal(loss?.from, 1n);
    assert.equal(loss?.partition, 0);
    assert.match(String(loss?.source), /^kafka\/[\w-]{22}\/[\w-]{22}$/);
    assert.ok((loss?.until ?? 0n) > 1n);
    assert.equal(seen[0]?.offset, loss?.until);
  });
});

test("a position behind the end of the log is told, and reading starts again at the earliest message", async () => {
  await withCarriers(async (open) => {
    const carrier = await open();
    await carrier.send("portolan.policies", message("k", "a"));
    const losses: string[] = [];
    const { seen, consumption } = noting({
      positions: async () => new Map([[0, 1000n]]),
      onLost: async ({ from, until: next }) => void losses.push(`${from}..${next}`),
    });
    await carrier.subscribe("portolan.policies", consumption);
    await until("the message", () => seen.length === 1);
    assert.deepEqual(losses, ["1000..0"]);
  });
});

test("a topic that is deleted is made again, under another identity, and its readers go on with it", async () => {
  await withCarriers(async (open, prefix) => {
    const [sender, reader] = [await open(), await open()];
    const sources: string[] = [];
    const { seen, consumption } = noting({
      async positions(source) {
        sources.push(source);
        return new Map();
      },
    });
    await reader.subscribe("portolan.flows", consumption);
    await sender.send("portolan.flows", message("0", "old"));
    await until("the old message", () => seen.length === 1);
    const admin = new Kafka({ brokers, clientId: "operator", logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const about = join(broker.folder, "1/data", `${prefix}portolan.flows-0`, "partition.metadata");
    /** Which topic's log the broker has under this name now. */
    const identity = () => {
      try {
        return readFileSync(about, "utf8");
      } catch {
        return undefined; // it is renamed before it is deleted
      }
    };
    await until("the log to bear its topic's id", () => identity() !== undefined);
    const old = identity();
    await admin.deleteTopics({ topics: [`${prefix}portolan.flows`] });
    await admin.disconnect();
    // The controller has deleted it; until the broker has, too, it takes messages that go with it.
    await until("the old log to go", () => identity() !== old);
    await sendSurely(sender, "0", "new");
    await until("the new message", () => seen.some((received) => textOf(received) === "new"));
    assert.equal(seen.find((received) => textOf(received) === "new")?.offset, 0n);
    assert.notEqual(sources.at(-1), sources[0]);
    assert.equal(sources.at(-1)?.split("/")[1], sources[0]?.split("/")[1]);
  });
});

test("two members of a group share the partitions; what one has handled the other does not get again", async () => {
  await withCarriers(async (open) => {
    const counts = new Map<string, number>();
    const handled = { a: 0, b: 0 };
    const revoked: number[] = [];
    const member = (name: "a" | "b") => {
      const next = new Map<number, bigint>();
      return noting({
        group: "analyzers",
        async handle(received) {
          counts.set(textOf(received), (counts.get(textOf(received)) ?? 0) + 1);
          handled[name]++;
          next.set(received.partition, received.offset + 1n);
        },
        async onRevoked(partitions) {
          revoked.push(partitions.length);
          return new Map(Array.from(next).filter(([partition]) => partitions.includes(partition)));
        },
      }).consumption;
    };
    const [sender, first, second] = [await open(), await open(), await open()];
    await first.subscribe("portolan.flows", member("a"));
    let sent = 0;
    const send = async (count: number) => {
      const some = Array.from({ length: count }, () => message(String(sent % FLOW_BUCKETS), `m${sent++}`));
      await sender.sendAll("portolan.flows", some);
    };
    await send(160);
    await until("160 messages at the only member", () => handled.a === 160);
    await second.subscribe("portolan.flows", member("b"));
    for (; handled.b === 0; await wait(50)) await send(16); // from some point on both take part
    await until("all at both members", () => counts.size === sent);
    assert.equal(revoked[0], FLOW_BUCKETS);
    await first.close();
    await send(160);
    await until("all at the member that is left", () => counts.size === sent);
    assert.deepEqual(
      Array.from(counts).filter(([, count]) => count !== 1),
      [],
    );
  });
});

test("a broker that is killed and comes back loses nothing that was acknowledged, and keeps the order", async () => {
  await withCarriers(async (open) => {
    const [sender, reader] = [await open(), await open()];
    const { seen, consumption } = noting();
    await reader.subscribe("portolan.flows", consumption);
    const texts = Array.from({ length: 300 }, (_, i) => String(i));
    const sending = (async () => {
      for (const text of texts) await sendSurely(sender, "3", text);
    })();
    await until("some messages", () => seen.length > 50);
    await broker.kill("SIGKILL");
    await broker.restart();
    await sending;
    await until("all messages", () => new Set(seen.map(textOf)).size === 300);
    // A message may come twice where its acknowledgement was lost; without the repeats the order is that of sending.
    assert.deepEqual([...new Set(seen.map(textOf))], texts);
  });
});

test("a cluster that cannot be reached is named in one line, and may be tried again", async () => {
  await assert.rejects(kafkaCarrier({ brokers: ["127.0.0.1:1"], clientId: "test" }), {
    code: "unreachable",
    isRetriable: true,
    message: /^Cannot reach Kafka at 127\.0\.0\.1:1: /,
  });
});
