import assert from "node:assert/strict";
import test from "node:test";
import { enforcementSettingsSchema } from "../../../policy/trust/enforcement-settings.js";
import { makePolicyOrder } from "../../../policy/trust/policy-order.js";
import { type HostWord, hostsAdded, hostsOf, rolloutObstacles } from "../../../policy/trust/rollout.js";
import { isInStage, STAGES } from "../../../policy/trust/stage.js";
import { SHOP } from "../sample-policy.js";
import { DAY, NOW } from "./people.js";

const settings = enforcementSettingsSchema.parse({ canaries: ["shop/web"] });
const order = makePolicyOrder(SHOP.policy, SHOP.inventory, {
  generation: 7,
  mode: "deny",
  settings,
  notBeforeMs: NOW,
  expiresMs: NOW + DAY,
});
const HOSTS = hostsOf({ order, inventory: SHOP.inventory });

test("a rollout speaks to the hosts that the policy isolates, and each stage holds those of the stages before", () => {
  assert.deepEqual(HOSTS, ["data/db", "shop/api", "shop/web"]);
  const many = Array.from({ length: 2000 }, (_, i) => `lab/host-${i}`);
  const sizes = STAGES.map((stage) => many.filter((host) => isInStage(stage, "shop", host, ["lab/host-7"])).length);
  assert.deepEqual([sizes[0], sizes[1], sizes[4]], [0, 1, 2000]);
  assert.ok(sizes[2]! > 60 && sizes[2]! < 140 && sizes[3]! > 420 && sizes[3]! < 580, String(sizes));
  for (const host of many) {
    const held = STAGES.map((stage) => isInStage(stage, "shop", host, []));
    assert.deepEqual(held, [...held].sort());
  }
  assert.deepEqual(STAGES.flatMap((stage) => hostsAdded({ order }, HOSTS, stage)).sort(), HOSTS);
});

test("a stage waits until hosts before it deny, hosts of it are ready, all report, and none took a trial back", () => {
  const words = (states: Partial<Record<string, HostWord["state"]>>, generation = 7) =>
    new Map(Object.entries(states).map(([host, state]) => [host, { generation, state: state as HostWord["state"] }]));
  const at = (stage: (typeof STAGES)[number], told: ReadonlyMap<string, HostWord>) =>
    rolloutObstacles({ order }, HOSTS, stage, told);
  // By its place data/db is among the first quarter; shop/web is a canary.
  const all = { "data/db": "deny", "shop/api": "ready", "shop/web": "deny" } as const;
  assert.deepEqual(at("100%", words(all)), []);
  assert.deepEqual(at("100%", words({ "shop/api": "ready", "shop/web": "deny" })), ["data/db: reports nothing"]);
  assert.deepEqual(at("100%", words({ ...all, "shop/api": "audit" })), ["shop/api: in audit, wanted ready"]);
  assert.deepEqual(at("canary", words({ ...all, "shop/api": "rollback" })), ["shop/api: took a trial back"]);
  assert.deepEqual(at("100%", words({ ...all, "shop/web": "trial" })), ["shop/web: in trial, wanted deny"]);
  assert.equal(at("canary", words(all, 6)).length, 3);
  assert.deepEqual(at("audit", new Map()), []);
});
