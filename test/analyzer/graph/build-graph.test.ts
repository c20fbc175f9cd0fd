import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { discover } from "../../../analyzer/discovery/discover.js";
import { buildGraph, edgeId, edgeNaming } from "../../../analyzer/graph/build-graph.js";
import { graphJson, graphJsonSchema, parseGraphJson } from "../../../analyzer/graph/graph-json.js";
import type { Exclusion, Proposal } from "../../../analyzer/proposal.js";
import type { ConversationWindow, EndIdentity } from "../../../model/conversation.js";
import type { GraphLevel } from "../../../model/graph.js";
import { EVERYTHING, selectorOfLabels } from "../../../model/label-selector.js";
import { HOUR_US } from "../../../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../../../model/workload.js";
import type { AllowRule } from "../../../policy/allow-rule.js";
import { T0 } from "../batches.js";
import { smallNetwork } from "../discovery/small-network.js";

function workload(id: string, labels: Record<string, string>, address: string): Workload {
  const [namespace = "", name = ""] = id.split("/");
  return { id, namespace, name, kind: "Host", labels, addresses: [{ address }] };
}

const INVENTORY: Inventory = {
  ...EMPTY_INVENTORY,
  workloads: [
    workload("data/db", { app: "db" }, "10.0.2.1"),
    workload("shop/api", { app: "api" }, "10.0.1.9"),
    workload("shop/web-1", { app: "web", zone: "a" }, "10.0.1.1"),
    workload("shop/web-2", { app: "web", zone: "b" }, "10.0.1.2"),
  ],
  namespaces: [
    { name: "data", labels: {} },
    { name: "shop", labels: {} },
  ],
  shared: [{ name: "web", namespace: "shop", addresses: ["10.0.1.80"], members: ["shop/web-1", "shop/web-2"] }],
};

const peer = (app: string): AllowRule["client"] => ({
  kind: "workloads",
  selector: { namespaces: EVERYTHING, labels: selectorOfLabels({ app }), serviceAccounts: [] },
});

function rule(id: string, client: string, server: string, port: number): AllowRule {
  return {
    id,
    client: peer(client),
    server: peer(server),
    services: [{ kind: "ports", protocol: "tcp", ports: { first: port, last: port } }],
    reason: "",
    confidence: 1,
    widenings: [],
  };
}

function proposalOf(rules: readonly AllowRule[], exclusions: readonly Exclusion[] = []): Proposal {
  const isolations = (["egress", "ingress"] as const).map((direction) => ({
    selector: { namespaces: EVERYTHING, labels: EVERYTHING, serviceAccounts: [] },
    direction,
    mode: "audit" as const,
  }));
  return {
    version: 1,
    state: "learning",
    stateReason: "",
    gates: [],
    fromUs: T0,
    untilUs: T0,
    policySet: { version: 1, name: "test", generation: 1, rules, isolations, groups: [] },
    roles: [],
    openWorkloads: [],
    exclusions,
    gaps: [],
  };
}

function end(text: string): { address: string; identity: EndIdentity } {
  const owner = INVENTORY.workloads.find(({ id }) => id === text);
  if (owner !== undefined) {
    return { address: owner.addresses[0]?.address ?? "", identity: { kind: "workload", id: text } };
  }
  const isShared = text === "10.0.1.80";
  return { address: text, identity: { kind: "group", name: isShared ? "shared:shop/web" : "external" } };
}

function window(
  client: string,
  server: string,
  port: number,
  more: Partial<ConversationWindow> = {},
): ConversationWindow {
  const from = end(client);
  const to = end(server);
  return {
    client: from.address,
    server: to.address,
    protocol: 6,
    serverPort: port,
    scope: "",
    windowStartUs: T0,
    windowUs: HOUR_US,
    flows: { answered: 1, refused: 0, unanswered: 0, midstream: 0 },
    clientPackets: 2,
    serverPackets: 3,
    clientBytes: 20,
    serverBytes: 30,
    firstSeenUs: T0 + 5,
    lastSeenUs: T0 + 9,
    isDirectionCertain: true,
    observers: ["a"],
    names: [],
    clientIdentity: from.identity,
    serverIdentity: to.identity,
    ...more,
  };
}

const PROPOSAL = proposalOf(
  [rule("web-to-api", "web", "api", 8080), rule("api-to-db", "api", "db", 5432), rule("api-to-web", "api", "web", 80)],
  [
    {
      kind: "quarantine",
      client: "shop/web-1",
      server: "data/db",
      protocol: "tcp",
      ports: [22],
      flows: 1,
      firstSeenUs: T0,
      lastSeenUs: T0,
      reason: "One-off admin port.",
    },
    {
      kind: "scan",
      client: "198.51.100.7",
      server: "many",
      protocol: "tcp",
      ports: [22, 23],
      flows: 9,
      firstSeenUs: T0,
      lastSeenUs: T0,
      reason: "It scans.",
    },
  ],
);
const WINDOWS = [
  window("shop/web-1", "shop/api", 8080),
  window("shop/web-2", "shop/api", 8080, {
    windowStartUs: T0 + HOUR_US,
    lastSeenUs: T0 + HOUR_US + 1,
    observers: ["b"],
  }),
  window("shop/api", "data/db", 5432, { names: ["db.example"] }),
  window("shop/api", "10.0.1.80", 80),
  window("shop/web-1", "data/db", 22),
  window("shop/api", "data/db", 6000),
  window("198.51.100.7", "shop/web-1", 23, { flows: { answered: 0, refused: 1, unanswered: 0, midstream: 0 } }),
  window("198.51.100.8", "shop/web-1", 99, { flows: { answered: 0, refused: 0, unanswered: 2, midstream: 0 } }),
];
const graphAt = (level: GraphLevel, windows = WINDOWS, proposal = PROPOSAL) =>
  buildGraph({ windows, inventory: INVENTORY, proposal, level });

test("at workload level every workload and every group of addresses is a node", () => {
  const { nodes, fromUs, untilUs } = graphAt("workload");
  assert.deepEqual(
    nodes.map(({ id, members }) => [id, members]),
    [
      ["group:external", ["198.51.100.7", "198.51.100.8"]],
      ["group:shared:shop/web", ["10.0.1.80"]],
      ["workload:data/db", ["data/db"]],
      ["workload:shop/api", ["shop/api"]],
      ["workload:shop/web-1", ["shop/web-1"]],
      ["workload:shop/web-2", ["shop/web-2"]],
    ],
  );
  assert.deepEqual([fromUs, untilUs], [T0 + 5, T0 + HOUR_US + 1]);
});

test("at app level workloads gather by what they are, with the labels they share, and a shared address is one of them", () => {
  const { nodes, edges } = graphAt("app");
  assert.deepEqual(
    nodes.map(({ id, memberCount, labels }) => [id, memberCount, labels]),
    [
      ["app:data/db", 1, { app: "db" }],
      ["app:shop/api", 1, { app: "api" }],
      ["app:shop/web", 2, { app: "web" }],
      ["group:external", 2, {}],
    ],
  );
  const edge = edges.find(({ id }) => id === "app:shop/web>app:shop/api/tcp/8080");
  assert.deepEqual(edge?.flows, { answered: 2, refused: 0, unanswered: 0, midstream: 0 });
  assert.deepEqual([edge?.clientBytes, edge?.windows, edge?.observers], [40, 2, ["a", "b"]]);
  assert.ok(edges.some(({ id }) => id === "app:shop/api>app:shop/web/tcp/80"));
});

test("at namespace level namespaces talk to each other and to themselves", () => {
  const ids = graphAt("namespace").edges.map(({ id }) => id);
  assert.ok(ids.includes("namespace:shop>namespace:shop/tcp/8080"));
  assert.ok(ids.includes("namespace:shop>namespace:data/tcp/5432"));
});

const STATES: readonly [edge: string, state: string, reason: RegExp, rules: readonly string[]][] = [
  ["workload:shop/web-1>workload:shop/api/tcp/8080", "allowed", /^Rule web-to-api permits it\.$/, ["web-to-api"]],
  ["workload:shop/api>group:shared:shop/web/tcp/80", "allowed", /^Rule api-to-web permits it\.$/, ["api-to-web"]],
  ["workload:shop/web-1>workload:data/db/tcp/22", "quarantined", /^One-off admin port\.$/, []],
  ["workload:shop/api>workload:data/db/tcp/6000", "undecided", /^No proposed rule covers it\.$/, []],
  ["group:external>workload:shop/web-1/tcp/23", "excluded", /^It scans\.$/, []],
  ["group:external>workload:shop/web-1/tcp/99", "excluded", /^Nothing came back/, []],
];

for (const [id, state, reason, rules] of STATES) {
  test(`${id} is ${state}`, () => {
    const edge = graphAt("workload").edges.find((candidate) => candidate.id === id);
    assert.equal(edge?.state, state);
    assert.match(edge?.reason ?? "", reason);
    assert.deepEqual(edge?.rules, rules);
  });
}

test("an edge of several conversations shows the one that needs a decision, and how many there are", () => {
  const [edge] = graphAt("namespace", [
    window("shop/web-1", "data/db", 22),
    window("shop/web-2", "data/db", 22, { flows: { answered: 0, refused: 1, unanswered: 0, midstream: 0 } }),
  ]).edges;
  assert.equal(edge?.state, "quarantined");
  assert.match(edge?.reason ?? "", /^1 of 2 conversations: One-off admin port\.$/);
});

test("a workload that nothing isolates is not called allowed for that", () => {
  const open = { ...PROPOSAL, policySet: { ...PROPOSAL.policySet, rules: [], isolations: [] } };
  const [edge] = graphAt("workload", [window("shop/web-1", "shop/api", 8080)], open).edges;
  assert.equal(edge?.state, "undecided");
});

test("no windows make an empty graph", () => {
  assert.deepEqual(graphAt("app", []), { version: 1, level: "app", fromUs: 0, untilUs: 0, nodes: [], edges: [] });
});

test("the order of the windows does not change a byte", () => {
  for (const level of ["workload", "app", "namespace"] as const) {
    assert.equal(graphJson(graphAt(level, [...WINDOWS].reverse())), graphJson(graphAt(level)));
  }
});

test("edgeNaming() finds the edge of every window", () => {
  for (const level of ["workload", "app", "namespace"] as const) {
    const ids = new Set(graphAt(level).edges.map(({ id }) => id));
    const nameOf = edgeNaming(INVENTORY, level);
    assert.deepEqual(new Set(WINDOWS.map(nameOf)), ids);
  }
});

test("what discovery allows of a small company is allowed in its graph, and what must never be is not", () => {
  const network = smallNetwork({ seed: 3, hours: 24 });
  const proposal = discover({ windows: network.windows, inventory: network.inventory, gaps: [], samples: () => [] });
  const graph = buildGraph({ windows: network.windows, inventory: network.inventory, proposal, level: "workload" });
  const stateOf = new Map(graph.edges.map((edge) => [edge.id, edge.state]));
  const edgeOf = (text: string) =>
    text.replace(/^([^>]+)>([^>]+)\/(\d+)\/(\d+)$/, (_, client, server, protocol, port) =>
      edgeId(`workload:${client}`, `workload:${server}`, Number(protocol), Number(port)),
    );
  const judged = (list: readonly string[]) =>
    list.map((text) => stateOf.get(edgeOf(text))).filter((state) => state !== undefined);
  assert.ok(judged(network.intended).length > 0);
  assert.ok(judged(network.intended).every((state) => state === "allowed"));
  assert.ok(judged(network.never).every((state) => state !== "allowed"));
});

test("parseGraphJson() reads back what graphJson() wrote and names the first wrong field", () => {
  const text = graphJson(graphAt("app"));
  assert.equal(graphJson(parseGraphJson(text)), text);
  assert.throws(() => parseGraphJson("{"), /^SyntaxError: Cannot read graph: it is not JSON/);
  assert.throws(() => parseGraphJson(text.replace('"allowed"', '"fine"')), /field "edges\.\d+\.state"/);
});

test("docs/schemas/graph.schema.json is the schema that the code checks", () => {
  const file = new URL("../../../../docs/schemas/graph.schema.json", import.meta.url);
  const wanted = `${JSON.stringify(graphJsonSchema(), null, 2)}\n`;
  if (process.env.PORTOLAN_UPDATE_GOLDEN === "1") writeFileSync(file, wanted);
  assert.equal(readFileSync(file, "utf8"), wanted, "run once with PORTOLAN_UPDATE_GOLDEN=1 and review the change");
});
