import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { append } from "../../../analyzer/store/append.js";
import { Conversations, ConversationTexts } from "../../../analyzer/store/conversations.js";
import { Database } from "../../../analyzer/store/database.js";
import { Store } from "../../../analyzer/store/store.js";
import { Windows } from "../../../analyzer/store/windows.js";
import type { ConversationWindow } from "../../../model/conversation.js";
import type { FlowBatch } from "../../../model/flow-batch.js";
import { HOUR_US, MINUTE_US } from "../../../model/time-window.js";
import { batchOf, originOf, SECOND, T0, type TestFlow } from "../batches.js";

/** All windows after the calls, in an order of their own. Without the thread, because hundreds of stores are opened here. */
async function windowsAfter(
  calls: readonly (readonly FlowBatch[])[],
  width: "hour" | "minute" = "hour",
  isReadBetween = false,
): Promise<ConversationWindow[]> {
  const database = await Database.open({ path: ":memory:", memoryLimitMb: 256, threads: 1, maxFlows: 1000 });
  try {
    const windows = new Windows(database);
    for (const batches of calls) {
      await append(database, { batches });
      if (isReadBetween) await windows.refresh();
    }
    const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    const found = width === "hour" ? await windows.hourly(...everything) : await windows.perMinute(...everything);
    const texts = new ConversationTexts();
    texts.add({
      epoch: database.epoch,
      addresses: database.addresses.texts,
      identities: database.identities.texts,
      scopes: database.scopes.texts,
      names: database.names.texts,
      collectors: database.collectors.texts,
    });
    const conversations = new Conversations(found, texts, width);
    return [...conversations.windows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  } finally {
    database.close();
  }
}

const one = async (batches: readonly FlowBatch[]) => {
  const windows = await windowsAfter([batches]);
  assert.equal(windows.length, 1, JSON.stringify(windows, null, 1));
  return windows[0] as ConversationWindow;
};

const flow = (rest: TestFlow = {}): TestFlow => rest;

test("flows of one conversation add up in the hour they start, with what was seen of them", async () => {
  const window = await one([
    batchOf(originOf("a", 0), [
      flow({ startUs: T0 + 5 * SECOND, fromPort: 40001, names: [{ name: "b.example", source: "sni" }] }),
      flow({ startUs: T0 + 9 * SECOND, fromPort: 40002, outcome: "refused", evidence: "first-packet" }),
      flow({ startUs: T0 + 2 * SECOND, fromPort: 40003, names: [{ name: "a.example", source: "dns" }] }),
    ]),
  ]);
  assert.deepEqual(window, {
    client: "10.0.0.1",
    server: "10.0.0.2",
    protocol: 6,
    serverPort: 443,
    scope: "",
    windowStartUs: T0,
    windowUs: HOUR_US,
    flows: { answered: 2, refused: 1, unanswered: 0, midstream: 0 },
    clientPackets: 9,
    serverPackets: 6,
    clientBytes: 900,
    serverBytes: 600,
    firstSeenUs: T0 + 2 * SECOND,
    lastSeenUs: T0 + 10 * SECOND,
    isDirectionCertain: true,
    observers: ["a"],
    names: ["a.example", "b.example"],
    clientIdentity: { kind: "group", name: "private" },
    serverIdentity: { kind: "group", name: "private" },
  });
});

test("the port of an ICMP conversation is the type of the request", async () => {
  const window = await one([batchOf(originOf("a", 0), [flow({ protocol: 1, fromPort: 0, port: 0, icmp: 8 << 8 })])]);
  assert.equal(window.serverPort, 8);
});

test("scopes keep equal addresses apart", async () => {
  const windows = await windowsAfter([
    [batchOf(originOf("a", 0), [flow(), flow({ scope: '{"vlan":[7],"tunnel":[]}' })])],
  ]);
  assert.deepEqual(windows.map(({ scope }) => scope).sort(), ["", '{"vlan":[7],"tunnel":[]}']);
});

test("a flow that lives for hours counts where it starts and shows activity in each later hour", async () => {
  const windows = await windowsAfter([[batchOf(originOf("a", 0), [flow({ endUs: T0 + 2 * HOUR_US + SECOND })])]]);
  const shape = windows
    .map((window) => [
      (window.windowStartUs - T0) / HOUR_US,
      window.flows.answered,
      window.clientPackets,
      window.lastSeenUs - T0,
    ])
    .sort();
  assert.deepEqual(shape, [
    [0, 1, 3, HOUR_US - 1],
    [1, 0, 0, 2 * HOUR_US - 1],
    [2, 0, 0, 2 * HOUR_US + SECOND],
  ]);
});

test("minutes hold the same flows as their hour", async () => {
  const flows = Array.from({ length: 50 }, (_, i) => flow({ startUs: T0 + i * 70 * SECOND, fromPort: 40_000 + i }));
  const minutes = await windowsAfter([[batchOf(originOf("a", 0), flows)]], "minute");
  assert.equal(
    minutes.reduce((sum, window) => sum + window.flows.answered, 0),
    50,
  );
  assert.ok(minutes.every((window) => window.windowUs === MINUTE_US && window.windowStartUs % MINUTE_US === 0));
});

test("two collectors that saw one flow, their clocks 3 s apart, make it one flow with the larger counts", async () => {
  const window = await one([
    batchOf(originOf("a", 0), [flow({ startUs: T0 + 10 * SECOND, packets: [10, 8], bytes: [1000, 80] })]),
    batchOf(originOf("b", 0), [flow({ startUs: T0 + 13 * SECOND, packets: [9, 9], bytes: [900, 90] })]),
  ]);
  assert.equal(window.flows.answered, 1);
  assert.deepEqual([window.clientPackets, window.serverPackets], [10, 9]);
  assert.deepEqual([window.clientBytes, window.serverBytes], [1000, 90]);
  assert.deepEqual(window.observers, ["a", "b"]);
});

test("clocks that differ across the edge of an hour do not make one flow two", async () => {
  const window = await one([
    batchOf(originOf("a", 0), [flow({ startUs: T0 + HOUR_US - SECOND, endUs: T0 + HOUR_US - 1 })]),
    batchOf(originOf("b", 0), [flow({ startUs: T0 + HOUR_US - 2 * SECOND, endUs: T0 + HOUR_US - 1 })]),
  ]);
  assert.equal(window.flows.answered, 1);
  const windows = await windowsAfter([
    [
      batchOf(originOf("a", 0), [flow({ startUs: T0 + HOUR_US - SECOND, endUs: T0 + HOUR_US + SECOND })]),
      batchOf(originOf("b", 0), [flow({ startUs: T0 + HOUR_US + SECOND, endUs: T0 + HOUR_US + 3 * SECOND })]),
    ],
  ]);
  assert.deepEqual(windows.map(({ flows }) => flows.answered).sort(), [0, 1]);
  assert.equal(
    windows.reduce((sum, window) => sum + window.clientPackets, 0),
    3,
  );
});

test("the five-tuple used again later is another flow, whoever saw it", async () => {
  const window = await one([
    batchOf(originOf("a", 0), [flow({ startUs: T0 })]),
    batchOf(originOf("b", 0), [flow({ startUs: T0 + 60 * SECOND })]),
  ]);
  assert.equal(window.flows.answered, 2);
  assert.equal(window.clientPackets, 6);
});

test("the strongest outcome among collectors wins", async () => {
  for (const [left, right, wanted] of [
    ["answered", "unanswered", "answered"],
    ["refused", "unanswered", "refused"],
    ["midstream", "unanswered", "midstream"],
    ["answered", "midstream", "answered"],
  ] as const) {
    const window = await one([
      batchOf(originOf("a", 0), [flow({ outcome: left })]),
      batchOf(originOf("b", 0), [flow({ outcome: right })]),
    ]);
    const seen = Object.entries(window.flows).filter(([, count]) => count > 0);
    assert.deepEqual(seen, [[wanted, 1]]);
  }
});

test("the strongest evidence among collectors says who opened the flow", async () => {
  const window = await one([
    batchOf(originOf("a", 0), [
      flow({
        from: "10.0.0.2",
        fromPort: 443,
        to: "10.0.0.1",
        port: 40000,
        evidence: "first-packet",
        outcome: "midstream",
        packets: [7, 1],
      }),
    ]),
    batchOf(originOf("b", 0), [flow({ evidence: "syn", packets: [3, 2] })]),
  ]);
  assert.deepEqual([window.client, window.server, window.serverPort], ["10.0.0.1", "10.0.0.2", 443]);
  assert.deepEqual([window.clientPackets, window.serverPackets], [3, 7]);
  assert.equal(window.isDirectionCertain, true);
});

test("parts of one long flow from one collector add up and stay one flow, opened by whom the first part says", async () => {
  const back = {
    from: "10.0.0.2",
    fromPort: 443,
    to: "10.0.0.1",
    port: 40000,
    evidence: "first-packet",
    outcome: "midstream",
  } as const;
  const window = await one([
    batchOf(originOf("a", 0), [flow({ startUs: T0, endUs: T0 + 100 * SECOND })]),
    batchOf(originOf("a", 1), [flow({ ...back, startUs: T0 + 400 * SECOND, packets: [2, 3] })]),
    batchOf(originOf("a", 2), [flow({ startUs: T0 + 900 * SECOND, outcome: "midstream", evidence: "service-port" })]),
  ]);
  assert.deepEqual(window.flows, { answered: 1, refused: 0, unanswered: 0, midstream: 0 });
  assert.deepEqual([window.clientPackets, window.serverPackets], [9, 6]);
});

test("what stands between damaged rows is taken as if it stood alone, in every column", async () => {
  const bad = [flow({ startUs: Number.NaN, to: "10.9.9.9" }), flow({ bytes: [-1, 0], fromPort: 1, port: 2 })] as const;
  const good = [
    flow({ from: "10.0.0.7", to: "10.0.0.8", port: 5432, packets: [3, 4], bytes: [300, 4000] }),
    flow({ protocol: 17, port: 53, outcome: "unanswered", evidence: "service-port", scope: "vlan:7", packets: [1, 0] }),
    flow({ to: "2001:db8::7", startUs: T0 + HOUR_US, endUs: T0 + HOUR_US + SECOND, outcome: "refused" }),
    flow({ protocol: 1, icmp: 8 << 8, names: [{ name: "x.example", source: "dns" }], fromPort: 0, port: 0 }),
  ];
  const stored = async (flows: readonly TestFlow[]) => {
    const store = await Store.open({ path: ":memory:" });
    await store.append([batchOf(originOf("a", 0), flows)]);
    const { windows } = await store.conversations({}, "hour");
    await store.close();
    return windows.map((window) => JSON.stringify(window)).sort();
  };
  const alone = await stored(good);
  assert.equal(alone.length, 4);
  assert.deepEqual(await stored([bad[0], ...good.slice(0, 2), bad[1], ...good.slice(2), bad[0]]), alone);
});

test("damaged rows are left out, the rest of their batch is taken", async () => {
  const store = await Store.open({ path: ":memory:" });
  const report = await store.append([
    batchOf(originOf("a", 0), [
      flow(),
      flow({ startUs: T0, endUs: T0 - 1 }),
      flow({ startUs: Number.NaN }),
      flow({ bytes: [-1, 0] }),
      flow({ startUs: 1, endUs: 2 }),
    ]),
  ]);
  assert.deepEqual(report, { batches: 1, duplicates: 0, flows: 1, malformed: 4 });
  const [gap] = await store.gaps();
  assert.equal(gap?.reason, "4 records were damaged and left out");
  await store.close();
});

test("records that start together are of one episode, whichever of them comes first", async () => {
  const back = { from: "10.0.0.2", fromPort: 443, to: "10.0.0.1", port: 40_000 };
  const batches = [{}, {}, back].map((ends, sequence) => batchOf(originOf("a", sequence), [flow(ends)]));
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [2, 0, 1],
  ]) {
    const window = await one(order.map((i) => batches[i] as FlowBatch));
    assert.deepEqual([window.client, window.flows.answered], ["10.0.0.1", 3]);
    assert.deepEqual([window.clientPackets, window.serverPackets], [8, 7]);
  }
});

const ports = fc.constantFrom(443, 40_000, 40_001);
/** `PORTOLAN_PROPERTY_RUNS=3000` looks longer, by hand. */
const numRuns = Number(process.env.PORTOLAN_PROPERTY_RUNS ?? 10);
const randomFlow = fc.record({
  pair: fc.nat(2),
  second: fc.oneof(fc.nat(200), fc.constantFrom(50, 100, 4000, 7500)), // some start together
  length: fc.oneof(fc.nat(30), fc.constantFrom(5000, 9000)), // most end soon, some reach into the next hours
  isBack: fc.boolean(),
  fromPort: ports,
  outcome: fc.constantFrom("answered", "refused", "unanswered", "midstream"),
  evidence: fc.constantFrom("syn", "request", "service-port", "first-packet"),
  packets: fc.tuple(fc.nat(9), fc.nat(9)),
  name: fc.constantFrom(undefined, "a.example", "b.example"),
});
const randomBatches = fc.array(
  fc.record({ collector: fc.constantFrom("a", "b", "c"), flows: fc.array(randomFlow, { minLength: 1, maxLength: 4 }) }),
  { minLength: 1, maxLength: 6 },
);

test("split, merged, repeated and reversed arrival end in the same windows", async () => {
  await fc.assert(
    fc.asyncProperty(randomBatches, async (list) => {
      const batches = list.map(({ collector, flows }, sequence) =>
        batchOf(
          originOf(collector, sequence),
          flows.map(({ pair, second, length, isBack, fromPort, outcome, evidence, packets, name }) => ({
            from: isBack ? `10.0.1.${pair}` : `10.0.0.${pair}`,
            to: isBack ? `10.0.0.${pair}` : `10.0.1.${pair}`,
            fromPort: isBack ? 443 : fromPort,
            port: isBack ? fromPort : 443,
            // Around the edge of an hour, where clocks matter most.
            startUs: T0 + HOUR_US + (second - 100) * SECOND,
            endUs: T0 + HOUR_US + (second - 100 + length) * SECOND,
            outcome,
            evidence,
            packets,
            ...(name === undefined ? {} : { names: [{ name, source: "dns" as const }] }),
          })),
        ),
      );
      const merged = await windowsAfter([batches]);
      const split = await windowsAfter(
        batches.map((batch) => [batch]),
        "hour",
        true,
      );
      const reversed = await windowsAfter(
        [...batches].reverse().map((batch) => [batch]),
        "hour",
        true,
      );
      const repeated = await windowsAfter([batches, [...batches].reverse()]);
      assert.deepEqual(split, merged);
      assert.deepEqual(reversed, merged);
      assert.deepEqual(repeated, merged);
    }),
    { numRuns },
  );
});
