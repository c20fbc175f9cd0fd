import assert from "node:assert/strict";
import test from "node:test";
import { Replay } from "../../../analyzer/replay/replay.js";
import type { EdgeActivity } from "../../../analyzer/store/edge-activity.js";
import type { EndIdentity } from "../../../model/conversation.js";
import { parseInventory } from "../../../model/inventory-file.js";
import { selectorOfLabels } from "../../../model/label-selector.js";
import { HOUR_US } from "../../../model/time-window.js";
import type { WorkloadSelector } from "../../../policy/peer.js";
import { POLICY_SET_VERSION, type PolicySet } from "../../../policy/policy-set.js";

const inventory = parseInventory(`
version: 1
workloads:
  - { namespace: shop, name: web-1, labels: { app: web }, addresses: [10.0.0.1, "fd00::1"] }
  - { namespace: shop, name: web-2, labels: { app: web }, addresses: [10.0.0.2] }
  - { namespace: shop, name: db-1, labels: { app: db }, addresses: [10.0.0.9, "fd00::9"] }
shared:
  - { name: web, namespace: shop, addresses: [10.0.0.80], members: [shop/web-1, shop/web-2] }
`);

const app = (name: string): WorkloadSelector => ({
  namespaces: selectorOfLabels({ "kubernetes.io/metadata.name": "shop" }),
  labels: selectorOfLabels({ app: name }),
  serviceAccounts: [],
});

const rule = (id: string, client: string, port: number) => ({
  id,
  client: { kind: "workloads", selector: app(client) } as const,
  server: { kind: "workloads", selector: app("db") } as const,
  services: [{ kind: "ports", protocol: "tcp", ports: { first: port, last: port } } as const],
  reason: "as it was seen",
  confidence: 1,
  widenings: [],
});

const policySet: PolicySet = {
  version: POLICY_SET_VERSION,
  name: "proposed",
  generation: 1,
  rules: [rule("web-to-db", "web", 5432), rule("never-used", "web", 9999)],
  isolations: [
    { selector: app("db"), direction: "ingress", mode: "audit" },
    { selector: app("web"), direction: "ingress", mode: "deny" },
  ],
  groups: [],
};

const workload = (id: string): EndIdentity => ({ kind: "workload", id });

function seen(client: [EndIdentity, string], server: [EndIdentity, string], port: number, hour: number, answered = 2) {
  const startUs = hour * HOUR_US;
  return {
    client: client[1],
    server: server[1],
    clientIdentity: client[0],
    serverIdentity: server[0],
    protocol: 6,
    serverPort: port,
    hourBlock: hour >>> 5,
    hourMask: 1 << (hour & 31),
    flows: { answered, refused: 0, unanswered: answered === 0 ? 3 : 0, midstream: 0 },
    firstSeenUs: startUs + 1,
    lastSeenUs: startUs + 2,
  } satisfies EdgeActivity;
}

const web1: [EndIdentity, string] = [workload("shop/web-1"), "10.0.0.1"];
const web1v6: [EndIdentity, string] = [workload("shop/web-1"), "fd00::1"];
const db: [EndIdentity, string] = [workload("shop/db-1"), "10.0.0.9"];
const dbV6: [EndIdentity, string] = [workload("shop/db-1"), "fd00::9"];
const stranger: [EndIdentity, string] = [{ kind: "group", name: "external" }, "192.0.2.7"];
const shared: [EndIdentity, string] = [{ kind: "group", name: "shared:shop/web" }, "10.0.0.80"];

const past = [
  seen(web1, db, 5432, 1),
  seen(web1, db, 5432, 2),
  seen(web1v6, dbV6, 5432, 2),
  seen(stranger, db, 5432, 2),
  seen(stranger, db, 5432, 3, 0),
  seen(stranger, shared, 80, 3),
];

function replay(activities: readonly EdgeActivity[]) {
  const replayed = new Replay(policySet, inventory);
  replayed.add(activities);
  return replayed.result();
}

test("a replay counts flows and hours by edge and by rule, and names the rules that nothing used", () => {
  const result = replay(past);
  assert.equal(result.conversationWindows, 6);
  assert.equal(result.allowedFlows, 6);
  assert.deepEqual(result.rules, [
    { id: "never-used", flows: 0, windows: 0, edges: 0 },
    { id: "web-to-db", flows: 6, windows: 2, edges: 1 },
  ]);
  assert.deepEqual(result.unusedRules, ["never-used"]);
});

test("what audit mode lets pass is told as would-be-denied, and attempts that failed anyway are told apart", () => {
  const denied = replay(past).edges.filter((edge) => !edge.isAllowed);
  assert.deepEqual(
    denied.map(({ client, server, port, flows, attempts, windows }) => ({
      client,
      server,
      port,
      flows,
      attempts,
      windows,
    })),
    [
      { client: "group:external", server: "group:shared:shop/web", port: 80, flows: 2, attempts: 0, windows: 1 },
      { client: "group:external", server: "workload:shop/db-1", port: 5432, flows: 2, attempts: 3, windows: 2 },
    ],
  );
  assert.ok(denied.every((edge) => edge.reason !== ""));
});

test("the order in which it is told changes nothing", () => {
  assert.deepEqual(replay([...past].reverse()), replay(past));
});
