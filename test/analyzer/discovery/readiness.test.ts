import assert from "node:assert/strict";
import test from "node:test";
import { discover } from "../../../analyzer/discovery/discover.js";
import type { ReadinessGate, SensorGap } from "../../../analyzer/proposal.js";
import { Scene } from "./scene.js";
import { workload } from "./small-network.js";

const range = (from: number, until: number) => Array.from({ length: until - from }, (_, i) => from + i);
const web = [1, 2, 3, 4, 5, 6].map((i) => workload(`shop/web-${i}`, { app: "web" }, `10.0.0.${i}`));
const db = workload("shop/db-1", { app: "db" }, "10.0.1.1");
const batch = workload("shop/batch-1", { app: "batch" }, "10.0.1.9");

/** Web servers that ask their database every hour, four ports each, and are never silent. */
function steady(hours: number): Scene {
  const scene = new Scene([...web, db, batch]);
  for (const { id } of web) {
    for (const port of [5432, 5433, 5434, 5435]) scene.see(id, "shop/db-1", `tcp/${port}`, { units: range(0, hours) });
  }
  return scene;
}

const gate = (gates: readonly ReadinessGate[], name: string) =>
  gates.find((each) => each.name === name) as ReadinessGate;
const unmet = (scene: Scene) => scene.propose().gates.flatMap(({ name, isMet }) => (isMet ? [] : [name]));

test("three steady days are ready for review", () => {
  const proposal = steady(72).propose();
  assert.equal(proposal.state, "ready-for-review", JSON.stringify(proposal.gates, null, 1));
  assert.equal(proposal.stateReason, "Every gate is met.");
});

test("less than two days are still learning, however steady", () => {
  assert.deepEqual(unmet(steady(30)), ["observation time", "coverage", "backtest"]);
  assert.equal(steady(30).propose().state, "learning");
});

test("a job that appears in the last quarter fails backtest and novelty, and the numbers are told", () => {
  const scene = steady(72).see("shop/batch-1", "shop/db-1", "tcp/9999", { units: range(60, 72) });
  const { gates } = scene.propose();
  assert.equal(
    gate(gates, "backtest").value.replace(/, doubled.*/, ""),
    "rules learned from the past would have denied 12 of 444 conversation windows that followed (worst of 3 cuts)",
  );
  assert.equal(gate(gates, "novelty").isMet, false);
  assert.match(gate(gates, "novelty").value, /^2\.7 % of the conversation windows in the last 18 hours/);
});

test("a rule of a declared role covers the newcomer that its role promised, so the backtest does not count it", () => {
  const scene = new Scene([...web, workload("shop/web-7", { app: "web" }, "10.0.0.7"), db]);
  for (const { id } of web) scene.see(id, "shop/db-1", "tcp/5432", { units: range(0, 72) });
  scene.see("shop/web-7", "shop/db-1", "tcp/5432", { units: range(60, 72) });
  assert.match(gate(scene.propose().gates, "backtest").value, /would have denied 0 of /);
});

test("conversations that were seen once each leave coverage open", () => {
  const scene = steady(72);
  range(0, 40).forEach((i) => scene.see("shop/batch-1", "shop/db-1", `tcp/${2000 + i * 7}`, { units: [i], flows: 1 }));
  const coverage = gate(scene.propose({ dynamicPorts: 1000 }).gates, "coverage");
  assert.equal(coverage.isMet, false);
  assert.match(coverage.value, /none was seen exactly twice, so this cannot be certified/);
});

test("a gap, a quarantined session and an unknown direction each keep their gate shut", () => {
  const gap: SensorGap = { collector: "sensor-1", fromUs: 1, untilUs: 2, lost: "unknown", reason: "not counted" };
  const { windows, inventory } = steady(72);
  const withGap = discover({ windows, inventory, gaps: [gap, { ...gap, lost: 7 }], samples: () => [] });
  assert.deepEqual(
    withGap.gates.filter(({ isMet }) => !isMet).map(({ value }) => value),
    ["2 gaps, 7 packets lost and 1 gap of unknown size"],
  );
  assert.deepEqual(unmet(steady(72).see("shop/batch-1", "shop/web-1", "tcp/22", { units: [3], flows: 1 })), [
    "quarantine",
  ]);
  const guess = { row: { isDirectionCertain: false }, units: range(0, 72) };
  assert.deepEqual(unmet(steady(72).see("shop/batch-1", "shop/web-1", "tcp/41000", guess)), ["direction"]);
});
