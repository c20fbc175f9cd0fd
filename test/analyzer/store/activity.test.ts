import assert from "node:assert/strict";
import test from "node:test";
import type { EdgeActivity } from "../../../analyzer/store/edge-activity.js";
import { Store } from "../../../analyzer/store/store.js";
import type { ConversationWindow } from "../../../model/conversation.js";
import { HOUR_US } from "../../../model/time-window.js";
import { batchOf, originOf, SECOND, T0, type TestFlow } from "../batches.js";

const hourOf = (hour: number, port: number): TestFlow[] =>
  Array.from({ length: 10 }, (_, i) => ({
    startUs: T0 + hour * HOUR_US + i * SECOND,
    fromPort: 30_000 + hour * 20 + i,
    port: port + (i % 2),
    outcome: i % 5 === 0 ? "refused" : "answered",
  }));

/** Forty hours with a flow that lives through some of them, so that sealed and open hours share windows. */
async function filled(maxFlows: number): Promise<Store> {
  const store = await Store.open({ path: ":memory:", maxFlows });
  for (let hour = 0; hour < 40; hour++) {
    const long = {
      startUs: T0 + hour * HOUR_US + SECOND,
      endUs: T0 + (hour + 3) * HOUR_US,
      fromPort: hour + 1,
      port: 9,
    };
    await store.append([batchOf(originOf("a", hour), [...hourOf(hour, 443), ...(hour % 7 === 0 ? [long] : [])])]);
  }
  return store;
}

/** What windows or activities come to for each conversation, as text. */
function totals(rows: Iterable<EdgeActivity | ConversationWindow>): string[] {
  const byKey = new Map<
    string,
    { windows: number; answered: number; refused: number; first: number; last: number; hours: Set<number> }
  >();
  for (const row of rows) {
    const key = `${row.client} ${row.server} ${row.protocol} ${row.serverPort} ${JSON.stringify(row.serverIdentity)}`;
    const total = byKey.get(key) ?? { windows: 0, answered: 0, refused: 0, first: Infinity, last: 0, hours: new Set() };
    byKey.set(key, total);
    total.answered += row.flows.answered;
    total.refused += row.flows.refused;
    total.first = Math.min(total.first, row.firstSeenUs);
    total.last = Math.max(total.last, row.lastSeenUs);
    if ("windowStartUs" in row) {
      total.windows++;
      total.hours.add(row.windowStartUs / HOUR_US);
      continue;
    }
    for (let bit = 0; bit < 32; bit++) {
      if (((row.hourMask >>> bit) & 1) === 0) continue;
      total.windows++;
      total.hours.add(row.hourBlock * 32 + bit);
    }
  }
  return [...byKey].map(([key, total]) => JSON.stringify([key, { ...total, hours: [...total.hours].sort() }])).sort();
}

for (const [what, maxFlows] of [
  ["open", 10_000],
  ["mostly sealed", 60],
] as const) {
  test(`activity() counts what the windows of all hours come to, with hours ${what}`, async () => {
    const store = await filled(maxFlows);
    const { windows } = await store.conversations({}, "hour");
    assert.ok(windows.length > 80);
    assert.deepEqual(totals(await store.activity({})), totals(windows));
    await store.close();
  });
}

test("activity() is about the hours that start in the span", async () => {
  const store = await filled(60);
  const span = { fromUs: T0 + 5 * HOUR_US, untilUs: T0 + 38 * HOUR_US };
  const { windows } = await store.conversations({}, "hour");
  const inside = windows.filter(({ windowStartUs }) => windowStartUs >= span.fromUs && windowStartUs < span.untilUs);
  assert.deepEqual(totals(await store.activity(span)), totals(inside));
  await store.close();
});
