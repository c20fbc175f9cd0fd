import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Carrier, Consumption, Message, ReceivedMessage } from "../../stream/carrier.js";

export const message = (key: string, text: string, headers: Record<string, string> = {}): Message => ({
  key,
  value: new TextEncoder().encode(text),
  headers,
});
export const textOf = ({ value }: { value: Uint8Array }): string => new TextDecoder().decode(value);

/** Waits for what the test is about to see; a test that never sees it fails with what it saw instead. */
export async function until(what: string, holds: () => boolean, limitMs = 180_000): Promise<void> {
  for (const limit = Date.now() + limitMs; !holds(); await wait(5)) {
    if (Date.now() > limit) throw new Error(`Waited in vain: ${what}`);
  }
}

/** A subscriber that notes what it is given, and where it is: who gets no turn for a session's length is asked for that. */
export function noting(more: Partial<Consumption> = {}): { seen: ReceivedMessage[]; consumption: Consumption } {
  const seen: ReceivedMessage[] = [];
  const next = new Map<number, bigint>();
  const consumption: Consumption = {
    positions: async () => new Map(next),
    async handle(received) {
      seen.push(received);
      next.set(received.partition, received.offset + 1n);
    },
    ...more,
  };
  return { seen, consumption };
}

/** What every carrier must do. `fresh` gives a carrier whose topics have never been used. */
export function carrierContract(name: string, fresh: () => Promise<Carrier>): void {
  const contract = (what: string, run: (carrier: Carrier) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const carrier = await fresh();
      try {
        await run(carrier);
      } finally {
        await carrier.close();
      }
    });

  contract("what was sent before anybody subscribed comes too, whole and in the order of its key", async (carrier) => {
    await carrier.send("portolan.flows", message("1", "a", { "portolan-bucket": "1" }));
    await carrier.sendAll("portolan.flows", [message("1", "b"), message("2", "x"), message("1", "c")]);
    const { seen, consumption } = noting();
    await carrier.subscribe("portolan.flows", consumption);
    await carrier.send("portolan.flows", message("1", "ä€"));
    await until("five messages", () => seen.length === 5);
    const ofOne = seen.filter(({ key }) => key === "1");
    assert.deepEqual(ofOne.map(textOf), ["a", "b", "c", "ä€"]);
    assert.deepEqual(ofOne[0]?.headers, { "portolan-bucket": "1" });
    assert.equal(new Set(ofOne.map(({ partition }) => partition)).size, 1);
    const offsets = ofOne.map(({ offset }) => offset);
    assert.ok(offsets.every((offset, i) => i === 0 || offset > (offsets[i - 1] as bigint)));
    assert.ok(seen.every(({ timestampMs, topic }) => Math.abs(Date.now() - timestampMs) < 3_600_000 && topic));
  });

  contract("sends that are not waited for arrive in their order", async (carrier) => {
    const { seen, consumption } = noting();
    await carrier.subscribe("portolan.flows", consumption);
    const texts = Array.from({ length: 200 }, (_, i) => String(i));
    await Promise.all(texts.map((text) => carrier.send("portolan.flows", message("7", text))));
    await until("200 messages", () => seen.length === 200);
    assert.deepEqual(seen.map(textOf), texts);
  });

  contract("a handler that throws is given the same message again before any other", async (carrier) => {
    const seen: string[] = [];
    await carrier.sendAll("portolan.policies", [message("k", "a"), message("k", "b")]);
    const { consumption } = noting({
      async handle(received) {
        seen.push(textOf(received));
        if (seen.length < 3) throw new Error("the disk is full");
      },
    });
    await carrier.subscribe("portolan.policies", consumption);
    await until("four attempts", () => seen.length === 4);
    assert.deepEqual(seen, ["a", "a", "a", "b"]);
  });

  contract("a subscriber has one message at a time, and the next when it has handled that", async (carrier) => {
    let atOnce = 0;
    let most = 0;
    let count = 0;
    const { consumption } = noting({
      async handle() {
        most = Math.max(most, ++atOnce);
        await wait(2);
        atOnce--;
        count++;
      },
    });
    await carrier.subscribe("portolan.flows", consumption);
    await carrier.sendAll(
      "portolan.flows",
      Array.from({ length: 30 }, (_, i) => message(String(i), "")),
    );
    await until("30 messages", () => count === 30);
    assert.equal(most, 1);
  });

  contract("reading begins at the positions the subscriber names", async (carrier) => {
    await carrier.subscribe("portolan.policies", noting().consumption); // so that what it handled may be let go
    const asked: [string, readonly number[]][] = [];
    const texts = ["a", "b", "c", "d"];
    await carrier.sendAll(
      "portolan.policies",
      texts.map((text) => message("k", text)),
    );
    const { seen, consumption } = noting({
      async positions(source, partitions) {
        asked.push([source, partitions]);
        return new Map([[0, 2n]]);
      },
    });
    await carrier.subscribe("portolan.policies", consumption);
    await until("two messages", () => seen.length >= 2);
    assert.deepEqual(seen.slice(-2).map(textOf), ["c", "d"]);
    assert.equal(asked[0]?.[0].split("/").length, asked[0]?.[0].startsWith("kafka") ? 3 : 2);
    assert.deepEqual(asked[0]?.[1], [0]);
  });

  contract("an empty value is a tombstone and comes as one", async (carrier) => {
    const { seen, consumption } = noting();
    await carrier.subscribe("portolan.inventory", consumption);
    await carrier.sendAll("portolan.inventory", [message("pod", "up"), message("pod", "")]);
    await until("two messages", () => seen.length === 2);
    assert.deepEqual(
      seen.map(({ key, value }) => [key, value.length]),
      [
        ["pod", 2],
        ["pod", 0],
      ],
    );
  });

  contract("a message of several megabytes comes as it was sent", async (carrier) => {
    const { seen, consumption } = noting();
    await carrier.subscribe("portolan.policies", consumption);
    const value = new Uint8Array(6 * 1024 * 1024);
    for (let i = 0, x = 1; i < value.length; i++) {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      value[i] = x >>> 24; // does not compress
    }
    await carrier.sendAll("portolan.policies", [message("k", "before"), { key: "k", value, headers: {} }]);
    await until("both messages", () => seen.length === 2);
    assert.equal(Buffer.compare(seen[1]?.value ?? new Uint8Array(), value), 0);
  });

  contract("close() of a subscription waits for the message in hand and takes no other", async (carrier) => {
    let entered = false;
    let release = () => {};
    const { seen, consumption } = noting({
      async handle(received) {
        entered = true;
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        seen.push(received);
      },
    });
    const subscription = await carrier.subscribe("portolan.policies", consumption);
    await carrier.sendAll("portolan.policies", [message("k", "a"), message("k", "b")]);
    await until("the first message", () => entered);
    let isClosed = false;
    const closing = subscription.close().then(() => {
      isClosed = true;
    });
    await wait(50);
    assert.equal(isClosed, false);
    release();
    await closing;
    assert.deepEqual(seen.map(textOf), ["a"]);
  });

  contract(
    "in a group each message comes to one member, and a member that leaves is asked where it was",
    async (carrier) => {
      const first = noting();
      const second = noting();
      const revoked: (readonly number[])[] = [];
      const next = new Map<number, bigint>();
      const a = await carrier.subscribe("portolan.policies", {
        ...first.consumption,
        group: "analyzers",
        async handle(received) {
          first.seen.push(received);
          next.set(received.partition, received.offset + 1n);
        },
        async onRevoked(partitions) {
          revoked.push(partitions);
          return next;
        },
      });
      await carrier.sendAll("portolan.policies", [message("k", "1"), message("k", "2")]);
      await until("two messages at the first member", () => first.seen.length === 2);
      await a.close();
      assert.deepEqual(revoked, [[0]]);
      await carrier.subscribe("portolan.policies", { ...second.consumption, group: "analyzers" });
      await carrier.send("portolan.policies", message("k", "3"));
      await until("a message at the second member", () => second.seen.length === 1);
      assert.deepEqual(second.seen.map(textOf), ["3"]);
    },
  );

  contract("a closed carrier takes nothing more and says so", async (carrier) => {
    await carrier.close();
    await assert.rejects(carrier.send("portolan.flows", message("1", "a")), { code: "closed" });
    await assert.rejects(carrier.subscribe("portolan.flows", noting().consumption), { code: "closed" });
  });
}
