import type { EdgeDetail, ExplorerSource, TimeSpan } from "../../analyzer/explorer.js";
import type { Proposal } from "../../analyzer/proposal.js";
import type { EdgeState, Graph, GraphEdge, GraphLevel, GraphNode } from "../../model/graph.js";
import type { Labels } from "../../model/label-selector.js";
import type { SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import { EMPTY_INVENTORY } from "../../model/workload.js";
import type { AllowRule } from "../../policy/allow-rule.js";
import type { Bundle } from "../../policy/bundle.js";
import type { Peer } from "../../policy/peer.js";
import { companyAudit } from "./enforcement.js";

/** A seeded company network behind the explorer's contract: shops, payments, data, operations, and what disturbs them. */

export const START_US = Date.parse("2026-03-02T06:00:00Z") * 1000;
export const HOUR = 3_600_000_000;
const HOURS = 30;

/** Park and Miller's generator: enough for fixtures, equal everywhere. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

interface Service {
  readonly namespace: string;
  readonly app: string;
  readonly tier: string;
  readonly replicas: number;
}

const SERVICES: readonly Service[] = [
  { namespace: "shop", app: "storefront", tier: "web", replicas: 3 },
  { namespace: "shop", app: "catalog", tier: "api", replicas: 2 },
  { namespace: "shop", app: "cart", tier: "api", replicas: 2 },
  { namespace: "shop", app: "search", tier: "api", replicas: 2 },
  { namespace: "payments", app: "checkout", tier: "api", replicas: 2 },
  { namespace: "payments", app: "ledger", tier: "api", replicas: 2 },
  { namespace: "payments", app: "fraud", tier: "worker", replicas: 1 },
  { namespace: "data", app: "postgres", tier: "db", replicas: 2 },
  { namespace: "data", app: "redis", tier: "cache", replicas: 1 },
  { namespace: "data", app: "kafka", tier: "queue", replicas: 3 },
  { namespace: "data", app: "warehouse", tier: "db", replicas: 1 },
  { namespace: "identity", app: "login", tier: "api", replicas: 2 },
  { namespace: "identity", app: "directory", tier: "db", replicas: 1 },
  { namespace: "mail", app: "relay", tier: "worker", replicas: 1 },
  { namespace: "mail", app: "templates", tier: "api", replicas: 1 },
  { namespace: "platform", app: "coredns", tier: "infra", replicas: 2 },
  { namespace: "platform", app: "prometheus", tier: "infra", replicas: 1 },
  { namespace: "platform", app: "ingress", tier: "infra", replicas: 2 },
  { namespace: "platform", app: "backup", tier: "batch", replicas: 1 },
  { namespace: "office", app: "laptop", tier: "client", replicas: 4 },
];

const GROUPS = ["external", "private", "multicast"];

/** client app, server app, protocol, port, and for a few what is not simply allowed */
const INTENDED: readonly (readonly [string, string, string, number, EdgeState?])[] = [
  ["external", "ingress", "tcp", 443],
  ["laptop", "ingress", "tcp", 443],
  ["ingress", "storefront", "tcp", 8080],
  ["ingress", "login", "tcp", 8443],
  ["storefront", "catalog", "tcp", 9000],
  ["storefront", "cart", "tcp", 9000],
  ["storefront", "search", "tcp", 9200],
  ["storefront", "login", "tcp", 8443],
  ["catalog", "postgres", "tcp", 5432],
  ["cart", "redis", "tcp", 6379],
  ["cart", "checkout", "tcp", 9443],
  ["search", "redis", "tcp", 6379],
  ["checkout", "ledger", "tcp", 9000],
  ["checkout", "fraud", "tcp", 9100],
  ["checkout", "external", "tcp", 443],
  ["ledger", "postgres", "tcp", 5432],
  ["ledger", "kafka", "tcp", 9092],
  ["fraud", "kafka", "tcp", 9092],
  ["fraud", "warehouse", "tcp", 5432],
  ["login", "directory", "tcp", 636],
  ["login", "redis", "tcp", 6379],
  ["relay", "external", "tcp", 587],
  ["relay", "templates", "tcp", 8080],
  ["checkout", "relay", "tcp", 25],
  ["kafka", "kafka", "tcp", 9093],
  ["postgres", "postgres", "tcp", 5432],
  ["backup", "postgres", "tcp", 5432],
  ["backup", "warehouse", "tcp", 5432],
  ["laptop", "postgres", "tcp", 5432, "quarantined"],
  ["laptop", "ledger", "tcp", 22, "quarantined"],
  ["warehouse", "external", "tcp", 8443, "undecided"],
  ["templates", "cart", "tcp", 9001, "excluded"],
  ["private", "catalog", "tcp", 445, "excluded"],
  ["private", "ledger", "tcp", 3389, "excluded"],
  ["private", "login", "tcp", 22, "excluded"],
  ["laptop", "multicast", "udp", 5353, "excluded"],
];

const REASONS: Readonly<Record<EdgeState, string>> = {
  allowed: "A proposed rule permits it: the service was answered in many windows.",
  excluded: "The source tried 214 addresses and 97 % did not answer: a scan, not a need.",
  quarantined: "An administrative port that was used in one window only: a person must decide.",
  undecided: "No flow showed who opened it, so the direction is a guess.",
};

interface Actor {
  readonly id: string;
  readonly label: string;
  readonly service?: Service;
}

function actorsOf(services: readonly Service[]): Map<string, Actor[]> {
  const actors = new Map<string, Actor[]>();
  for (const service of services) {
    const list = Array.from({ length: service.replicas }, (_, i) => {
      const name = `${service.app}-${i + 1}`;
      return { id: `workload:${service.namespace}/${name}`, label: name, service };
    });
    actors.set(service.app, list);
  }
  for (const group of GROUPS) actors.set(group, [{ id: `group:${group}`, label: group }]);
  return actors;
}

function nodeOf(actor: Actor, level: GraphLevel): GraphNode {
  const { service } = actor;
  if (service === undefined) {
    return { id: actor.id, kind: "group", label: actor.label, labels: {}, members: ["203.0.113.7"], memberCount: 1 };
  }
  const labels: Labels = { app: service.app, tier: service.tier };
  const members = Array.from({ length: service.replicas }, (_, i) => `${service.namespace}/${service.app}-${i + 1}`);
  const { namespace } = service;
  switch (level) {
    case "workload":
      return {
        id: actor.id,
        kind: level,
        label: actor.label,
        namespace,
        labels,
        members: [actor.id.slice(9)],
        memberCount: 1,
      };
    case "app":
      return {
        id: `app:${namespace}/${service.app}`,
        kind: level,
        label: service.app,
        namespace,
        labels,
        members,
        memberCount: members.length,
      };
    case "namespace":
      return {
        id: `namespace:${namespace}`,
        kind: level,
        label: namespace,
        namespace,
        labels: {},
        members,
        memberCount: members.length,
      };
  }
}

type Talk = readonly [Actor, Actor, string, number, EdgeState];

function talks(services: readonly Service[], intended: typeof INTENDED): Talk[] {
  const actors = actorsOf(services);
  const all = [...actors.values()].flat().filter(({ service }) => service !== undefined);
  const list: Talk[] = [];
  const between = (from: string, to: string, protocol: string, port: number, state: EdgeState) => {
    for (const client of actors.get(from) ?? []) {
      for (const server of actors.get(to) ?? []) {
        if (client.id === server.id) continue;
        const isSecondReplica = state !== "allowed" && (/-[2-9]$/.test(client.label) || /-[2-9]$/.test(server.label));
        if (!isSecondReplica) list.push([client, server, protocol, port, state]);
      }
    }
  };
  for (const [from, to, protocol, port, state] of intended) between(from, to, protocol, port, state ?? "allowed");
  for (const actor of all) {
    const app = actor.service?.app;
    if (app !== "coredns") for (const dns of actors.get("coredns") ?? []) list.push([actor, dns, "udp", 53, "allowed"]);
    const scraper = actors.get("prometheus")?.[0];
    if (scraper !== undefined && app !== "prometheus" && app !== "laptop")
      list.push([scraper, actor, "tcp", 9100, "allowed"]);
  }
  return list;
}

function edgeOf(talk: Talk, level: GraphLevel, roll: () => number): GraphEdge {
  const [from, to, protocol, port, state] = talk;
  const client = nodeOf(from, level).id;
  const server = nodeOf(to, level).id;
  const busy = state === "allowed" ? Math.floor(20 + roll() * roll() * 4000) : Math.floor(1 + roll() * 12);
  const windows = state === "allowed" ? Math.min(HOURS, 4 + Math.floor(roll() * HOURS)) : 1;
  const first = START_US + Math.floor(roll() * (HOURS - windows) * HOUR);
  return {
    id: `${client}>${server}/${protocol}/${port}`,
    client,
    server,
    protocol,
    port,
    flows: {
      answered: state === "excluded" ? 0 : busy,
      refused: state === "excluded" ? busy : 0,
      unanswered: state === "excluded" ? busy * 2 : Math.floor(roll() * 3),
      midstream: state === "undecided" ? busy : 0,
    },
    clientPackets: busy * 6,
    serverPackets: busy * 5,
    clientBytes: busy * 900,
    serverBytes: busy * Math.floor(400 + roll() * 20_000),
    firstSeenUs: first,
    lastSeenUs: first + windows * HOUR - 1_000_000,
    windows,
    observers: ["node-a", "node-b"].slice(0, 1 + Math.floor(roll() * 2)),
    names: port === 443 ? [`${to.label}.example.com`] : [],
    state,
    reason: REASONS[state],
    rules: state === "allowed" ? [ruleIdOf(talk)] : [],
  };
}

function ruleIdOf([from, to, protocol, port]: Talk): string {
  if (port === 53) return "everybody-to-coredns-udp-53";
  if (port === 9100 && from.service?.app === "prometheus") return "prometheus-to-everybody-tcp-9100";
  return `${from.service?.app ?? from.label}-to-${to.service?.app ?? to.label}-${protocol}-${port}`;
}

function merge(a: GraphEdge, b: GraphEdge): GraphEdge {
  const urgency: readonly EdgeState[] = ["quarantined", "undecided", "excluded", "allowed"];
  const worst = urgency.indexOf(a.state) <= urgency.indexOf(b.state) ? a : b;
  return {
    ...worst,
    flows: {
      answered: a.flows.answered + b.flows.answered,
      refused: a.flows.refused + b.flows.refused,
      unanswered: a.flows.unanswered + b.flows.unanswered,
      midstream: a.flows.midstream + b.flows.midstream,
    },
    clientPackets: a.clientPackets + b.clientPackets,
    serverPackets: a.serverPackets + b.serverPackets,
    clientBytes: a.clientBytes + b.clientBytes,
    serverBytes: a.serverBytes + b.serverBytes,
    firstSeenUs: Math.min(a.firstSeenUs, b.firstSeenUs),
    lastSeenUs: Math.max(a.lastSeenUs, b.lastSeenUs),
    windows: Math.max(a.windows, b.windows),
    observers: [...new Set([...a.observers, ...b.observers])].sort(),
    names: [...new Set([...a.names, ...b.names])].sort(),
    rules: [...new Set([...a.rules, ...b.rules])].sort(),
  };
}

const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1);

function graphOf(list: readonly Talk[], level: GraphLevel, span: TimeSpan): Graph {
  const roll = dice(7);
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  for (const talk of list) {
    const edge = edgeOf(talk, level, roll);
    if (edge.lastSeenUs < (span.fromUs ?? 0) || edge.firstSeenUs >= (span.untilUs ?? Number.POSITIVE_INFINITY))
      continue;
    for (const actor of [talk[0], talk[1]]) nodes.set(nodeOf(actor, level).id, nodeOf(actor, level));
    const known = edges.get(edge.id);
    edges.set(edge.id, known === undefined ? edge : merge(known, edge));
  }
  return {
    version: 1,
    level,
    fromUs: START_US,
    untilUs: START_US + HOURS * HOUR,
    nodes: [...nodes.values()].sort(byId),
    edges: [...edges.values()].sort(byId),
  };
}

function peerOf(actor: Actor): Peer {
  if (actor.service === undefined) return { kind: "group", name: actor.label };
  const want = (key: string, value: string) => ({ key, operator: "In" as const, values: [value] });
  return {
    kind: "workloads",
    selector: {
      namespaces: { requirements: [want("kubernetes.io/metadata.name", actor.service.namespace)] },
      labels: { requirements: [want("app", actor.service.app)] },
      serviceAccounts: [],
    },
  };
}

function proposalOf(list: readonly Talk[]): Proposal {
  const rules = new Map<string, AllowRule>();
  const roll = dice(11);
  for (const talk of list) {
    const [from, to, protocol, port, state] = talk;
    const id = ruleIdOf(talk);
    if (state !== "allowed" || rules.has(id)) continue;
    const isEverybody = id.includes("everybody");
    const flows = Math.floor(roll() * 5000) + 12;
    rules.set(id, {
      id,
      client: isEverybody && port === 53 ? { kind: "any" } : peerOf(from),
      server: isEverybody && port !== 53 ? { kind: "any" } : peerOf(to),
      services: [{ kind: "ports", protocol: protocol as "tcp" | "udp", ports: { first: port, last: port } }],
      reason: `${from.label} opened ${protocol}/${port} to ${to.label} in every working hour and was answered.`,
      confidence: isEverybody ? 0.99 : Math.round((0.7 + roll() * 0.29) * 100) / 100,
      evidence: {
        firstSeenUs: START_US,
        lastSeenUs: START_US + (HOURS - 1) * HOUR,
        windows: HOURS - 2,
        flows,
        clients: [from.id.slice(from.id.indexOf(":") + 1)],
        servers: [to.id.slice(to.id.indexOf(":") + 1)],
        observers: ["node-a"],
        names: port === 443 ? ["api.example.com"] : [],
        samples: [
          {
            client: "10.0.1.14",
            server: "10.0.2.31",
            protocol,
            clientPort: 41_022,
            serverPort: port,
            startUs: START_US + 5_000_000,
            clientBytes: 1_840,
            serverBytes: 22_410,
            observer: "node-a",
          },
        ],
      },
      widenings: isEverybody
        ? [{ kind: "role", text: "Permits every workload, also 3 that were never seen to ask.", cells: 3 }]
        : [],
    });
  }
  return {
    version: 1,
    state: "ready-for-review",
    stateReason: "30 hours seen, and the last 12 brought no new edge.",
    gates: [
      { name: "Time seen", isMet: true, value: "30 hours", wanted: "at least 24 hours" },
      { name: "Walk-forward backtest", isMet: true, value: "99.2 % of later flows allowed", wanted: "at least 99 %" },
      { name: "Sensor coverage", isMet: false, value: "2 of 3 hosts", wanted: "every host with a workload" },
    ],
    fromUs: START_US,
    untilUs: START_US + HOURS * HOUR,
    policySet: {
      version: 1,
      name: "company",
      generation: 1,
      rules: [...rules.values()].sort(byId),
      isolations: [
        {
          selector: { namespaces: { requirements: [] }, labels: { requirements: [] }, serviceAccounts: [] },
          direction: "ingress",
          mode: "audit",
        },
      ],
      groups: [{ name: "external", cidrs: ["0.0.0.0/0"] }],
    },
    roles: [{ name: "shop/storefront", basis: "labels", members: ["shop/storefront-1", "shop/storefront-2"] }],
    openWorkloads: [{ workload: "office/laptop-4", reason: "It was seen in one window only." }],
    exclusions: [
      {
        kind: "scan",
        client: "private",
        server: "many",
        protocol: "tcp",
        ports: [22, 445, 3389],
        flows: 214,
        firstSeenUs: START_US + HOUR,
        lastSeenUs: START_US + 2 * HOUR,
        reason: "One source tried 214 addresses and 97 % did not answer.",
      },
      {
        kind: "refused",
        client: "mail/templates-1",
        server: "shop/cart-1",
        protocol: "tcp",
        ports: [9001],
        flows: 41,
        firstSeenUs: START_US,
        lastSeenUs: START_US + 20 * HOUR,
        reason: "Every attempt was refused: the port is closed and the client retries.",
      },
      {
        kind: "quarantine",
        client: "office/laptop-1",
        server: "payments/ledger-1",
        protocol: "tcp",
        ports: [22],
        flows: 2,
        firstSeenUs: START_US + 9 * HOUR,
        lastSeenUs: START_US + 9 * HOUR,
        reason: "An administrative port that was used in one window only.",
      },
    ],
    gaps: [
      {
        collector: "node-b",
        fromUs: START_US + 4 * HOUR,
        untilUs: START_US + 5 * HOUR,
        lost: "unknown",
        reason: "The sensor restarted and cannot tell what it missed.",
      },
    ],
  };
}

/** When the page is looked at. */
export const NOW_US = START_US + HOURS * HOUR;

function beat(sensor: string, secondsAgo: number, rest: Partial<SensorHeartbeat> = {}): SensorHeartbeat {
  const interfaces = [{ name: "eth0", program: "tcpdump", packets: 1_204_117, dropped: 0 }];
  return {
    version: 1,
    sensor,
    kind: "collector",
    boot: "b1",
    atUs: NOW_US - secondsAgo * 1e6,
    startedUs: START_US,
    software: "0.1.0",
    interfaces,
    ...rest,
  };
}

/** One that is well, one whose broker is away, one that fell silent, one without an interface, an enforcer, one that ended. */
const HEARTBEATS: readonly SensorHeartbeat[] = [
  beat("node-a", 4, {
    spool: { bytes: 0, batches: 0, lostBatches: 0, lostFlows: 0 },
    lagMs: 640,
    clockOffsetMs: -12,
  }),
  beat("node-c", 2, {
    spool: { bytes: 48_200_113, batches: 1920, oldestUs: NOW_US - 25 * 60e6, lostBatches: 12, lostFlows: 11_840 },
    lagMs: 25 * 60e3,
    clockOffsetMs: 7_200,
  }),
  beat("node-d", 340, { interfaces: [{ name: "any", program: "cap", packets: 88_410, dropped: "unknown" }] }),
  beat("node-e", 1, {
    interfaces: [
      { name: "eth0", program: "tcpdump", packets: 11, dropped: 3 },
      { name: "wg0", program: "tcpdump", packets: 0, dropped: 0, waiting: "there is no such interface" },
    ],
  }),
  beat("node-f", 86_400, { ended: true }),
  beat("shop-1", 3, { kind: "enforcer", interfaces: [] }),
];

/** A source whose data can grow: `announce` adds one more talk and tells whoever listens. */
export interface CompanySource extends ExplorerSource {
  announce(): void;
}

export function companySource(services = SERVICES, intended = INTENDED): CompanySource {
  const list = talks(services, intended);
  const listeners = new Set<(revision: number) => void>();
  let revision = 1;
  const graph = (level: GraphLevel, span: TimeSpan) => graphOf(list, level, span);
  return {
    announce() {
      const actors = actorsOf(services);
      const [client, server] = [actors.get("search")?.[0], actors.get("warehouse")?.[0]];
      if (client !== undefined && server !== undefined) list.push([client, server, "tcp", 7000 + revision, "allowed"]);
      revision++;
      for (const listener of listeners) listener(revision);
    },
    revision: () => revision,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    graph: async (level, span) => graph(level, span),
    async edge(level, id, span): Promise<EdgeDetail | undefined> {
      const edge = graph(level, span).edges.find((candidate) => candidate.id === id);
      if (edge === undefined) return undefined;
      const sample = {
        client: "10.0.1.14",
        server: "10.0.2.31",
        protocol: edge.protocol,
        clientPort: 41_022,
        serverPort: edge.port,
        startUs: edge.firstSeenUs,
        clientBytes: 1_840,
        serverBytes: 22_410,
        observer: "node-a",
      };
      const perWindow = Math.ceil(edge.flows.answered / edge.windows);
      const windows = Array.from({ length: edge.windows }, (_, i) => ({
        startUs: Math.floor(edge.firstSeenUs / HOUR) * HOUR + i * HOUR,
        answered: perWindow,
        failed: edge.flows.refused + edge.flows.unanswered,
      }));
      return {
        edge,
        samples: [sample, { ...sample, clientPort: 41_377, startUs: sample.startUs + 61_000_000 }],
        windows,
      };
    },
    async timeline(slices) {
      const roll = dice(3);
      const widthUs = (HOURS * HOUR) / slices;
      return Array.from({ length: slices }, (_, i) => {
        const hour = (6 + (i * HOURS) / slices) % 24;
        const busy = hour > 7 && hour < 19 ? 1 : 0.25;
        const startUs = START_US + i * widthUs;
        return {
          startUs,
          widthUs,
          answered: Math.floor(900 * busy * (0.6 + 0.4 * roll())),
          failed: Math.floor(roll() * 40),
        };
      });
    },
    sensors: async () => [
      {
        collector: "node-a",
        firstSeenUs: START_US,
        lastSeenUs: START_US + HOURS * HOUR,
        batches: 1800,
        flows: 60_231,
        dropped: 0,
      },
      {
        collector: "node-b",
        firstSeenUs: START_US,
        lastSeenUs: START_US + HOURS * HOUR,
        batches: 1640,
        flows: 41_007,
        dropped: "unknown",
      },
    ],
    heartbeats: async () => HEARTBEATS,
    proposal: async () => proposalOf(list),
    inventory: () => EMPTY_INVENTORY,
    audit: async (span) => ({ report: companyAudit(span) }),
  };
}

/** Bundles with the shape of real ones, for the pages that show and hand them over. */
export async function companyBundles(target: string): Promise<Pick<Bundle, "files" | "losses">> {
  if (target === "nftables") {
    const text =
      "# portolan: storefront-to-catalog-tcp-9000\ntable inet portolan {\n  chain input {\n    tcp dport 9000 accept\n  }\n}\n";
    return { files: [{ path: "portolan.nft", text }], losses: [] };
  }
  const yaml = (name: string) =>
    `# storefront-to-catalog-tcp-9000: seen in every working hour\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: ${name}\n  namespace: shop\nspec:\n  podSelector:\n    matchLabels:\n      app: ${name}\n  policyTypes: [Ingress]\n`;
  return {
    files: [
      { path: "shop/cart.yaml", text: yaml("cart") },
      { path: "shop/catalog.yaml", text: yaml("catalog") },
    ],
    losses: [
      {
        ruleId: "relay-to-external-tcp-587",
        kind: "conditional",
        text: "Holds only where the network plugin enforces egress.",
      },
    ],
  };
}
