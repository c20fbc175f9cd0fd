import assert from "node:assert/strict";
import test from "node:test";
import { FLOW_BUCKETS } from "../../../model/flow-bucket.js";
import { kafkaCarrier } from "../../../stream/kafka/kafka-carrier.js";
import { StreamError } from "../../../stream/stream-error.js";
import { message, noting, textOf, until } from "../carrier-contract.js";
import { startBroker } from "../kafka-broker.js";

/** How many brokers die, each in turn; more in runs by hand. */
const FAILOVERS = Number(process.env.PORTOLAN_TEST_FAILOVERS ?? 1);

test("of three brokers one dies while messages go to all partitions: all that was acknowledged arrives, in order", async () => {
  const broker = await startBroker({ brokers: 3 });
  const settings = { brokers: broker.bootstrap.split(","), prefix: "failover." };
  const sender = await kafkaCarrier({ ...settings, clientId: "sender" });
  const reader = await kafkaCarrier({ ...settings, clientId: "reader" });
  try {
    const seen = new Map<string, number[]>();
    const { consumption } = noting({
      async handle(received) {
        const numbers = seen.get(received.key) ?? [];
        seen.set(received.key, numbers);
        numbers.push(Number(textOf(received)));
      },
    });
    await reader.subscribe("portolan.flows", consumption);
    let acknowledged = 0;
    let isLast = false;
    let failures = 0;
    const sending = (async () => {
      while (!isLast) {
        const round = Array.from({ length: FLOW_BUCKETS }, (_, key) => message(String(key), String(acknowledged)));
        try {
          await sender.sendAll("portolan.flows", round);
          acknowledged++;
        } catch (error) {
          if (!(error instanceof StreamError) || !error.isRetriable) throw error;
          failures++;
        }
      }
    })();
    for (let i = 0; i < FAILOVERS; i++) {
      const goal = acknowledged + 50;
      await until("sending goes on", () => acknowledged >= goal);
      await broker.nodes[i % 3]?.kill("SIGKILL");
      const next = acknowledged + 50;
      await until("sending goes on without it", () => acknowledged >= next);
      await broker.nodes[i % 3]?.restart();
    }
    isLast = true;
    await sending;
    const keys = Array.from({ length: FLOW_BUCKETS }, (_, key) => String(key));
    const isWhole = (key: string) => new Set(seen.get(key)).size === acknowledged;
    await until("all that was acknowledged", () => keys.every(isWhole));
    const wanted = Array.from({ length: acknowledged }, (_, i) => i);
    for (const key of keys) assert.deepEqual([...new Set(seen.get(key))], wanted);
    process.stderr.write(`${acknowledged} rounds acknowledged, ${failures} sent again, ${FAILOVERS} brokers killed\n`);
  } finally {
    await Promise.all([sender.close(), reader.close()]);
    await broker.stop();
  }
});
