import type { ConversationWindow, EndIdentity } from "../../../model/conversation.js";
import { HOUR_US } from "../../../model/time-window.js";
import type { Inventory, Workload } from "../../../model/workload.js";

/** A small company with a known truth, drawn with a seed: the same seed gives the same windows. */
export interface SmallNetwork {
  readonly windows: readonly ConversationWindow[];
  readonly inventory: Inventory;
  readonly intended: readonly string[]; // "client>server/protocol/port", workload ids or addresses
  readonly never: readonly string[];
}

export interface SmallNetworkOptions {
  readonly seed: number;
  readonly hours: number;
  readonly unitUs?: number;
}

export const START_US = 1_767_225_600_000_000; // 2026-01-01T00:00:00Z
const TCP = 6;
const UDP = 17;

export function dice(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4294967296;
  };
}

export function workload(
  id: string,
  labels: Record<string, string>,
  address: string,
  extra?: Partial<Workload>,
): Workload {
  const [namespace, name] = id.split("/") as [string, string];
  return { id, namespace, name, kind: "VM", labels, addresses: [{ address }], ...extra };
}

/** The end of a window: a workload of the inventory, or an address of a group. */
export function end(idOrAddress: string, group = "external"): EndIdentity {
  return idOrAddress.includes("/") ? { kind: "workload", id: idOrAddress } : { kind: "group", name: group };
}

export interface Talk {
  readonly client: string; // address
  readonly server: string;
  readonly clientIdentity: EndIdentity;
  readonly serverIdentity: EndIdentity;
  readonly protocol?: number;
  readonly port: number;
}

/** One window row with sensible defaults; `outcome` says what all its flows were. */
export function windowOf(
  talk: Talk,
  unit: number,
  flows: number,
  outcome: "answered" | "refused" | "unanswered" | "midstream" = "answered",
  more: Partial<ConversationWindow> = {},
): ConversationWindow {
  const windowUs = more.windowUs ?? HOUR_US;
  const windowStartUs = START_US + unit * windowUs;
  const isMet = outcome === "answered" || outcome === "midstream";
  return {
    client: talk.client,
    server: talk.server,
    protocol: talk.protocol ?? TCP,
    serverPort: talk.port,
    scope: "",
    windowStartUs,
    windowUs,
    flows: { answered: 0, refused: 0, unanswered: 0, midstream: 0, [outcome]: flows },
    clientPackets: 6 * flows,
    serverPackets: isMet ? 5 * flows : 0,
    clientBytes: 600 * flows,
    serverBytes: isMet ? 2000 * flows : 0,
    firstSeenUs: windowStartUs + 1000,
    lastSeenUs: windowStartUs + windowUs - 1000,
    isDirectionCertain: outcome !== "midstream",
    observers: ["sensor-1"],
    names: [],
    clientIdentity: talk.clientIdentity,
    serverIdentity: talk.serverIdentity,
    ...more,
  };
}

const REUSED = "10.0.1.90";

export function smallInventory(halfUs: number): Inventory {
  const shop = (name: string, app: string, tier: string, address: string) =>
    workload(`shop/${name}`, { app, tier, "pod-template-hash": `${app}5d9` }, address);
  return {
    workloads: [
      shop("api-1", "api", "middle", "10.0.1.21"),
      shop("api-2", "api", "middle", "10.0.1.22"),
      shop("api-3", "api", "middle", "10.0.1.23"),
      shop("batch-1", "batch", "middle", "10.0.1.40"),
      shop("cache-1", "redis", "data", "10.0.1.31"),
      shop("db-1", "postgres", "data", "10.0.1.30"),
      shop("legacy-1", "legacy", "front", "10.0.1.50"),
      workload("shop/new-1", { app: "new", tier: "middle" }, REUSED, {
        addresses: [{ address: REUSED, fromUs: halfUs }],
      }),
      workload("shop/old-1", { app: "old", tier: "middle" }, REUSED, {
        addresses: [{ address: REUSED, untilUs: halfUs }],
      }),
      workload("shop/silent-1", { app: "silent" }, "10.0.1.99"),
      shop("web-1", "web", "front", "10.0.1.11"),
      shop("web-2", "web", "front", "10.0.1.12"),
      workload("infra/dns-1", { app: "dns" }, "10.0.2.53"),
      workload("infra/prometheus-1", { app: "prometheus" }, "10.0.2.90"),
      workload("infra/scanner-1", { app: "desktop" }, "10.0.2.66"),
    ].sort((a, b) => (a.id < b.id ? -1 : 1)),
    namespaces: [
      { name: "infra", labels: {} },
      { name: "shop", labels: {} },
    ],
    groups: [{ name: "office", cidrs: ["198.51.100.0/28"] }],
    shared: [{ name: "web", namespace: "shop", addresses: ["10.0.9.1"], members: ["shop/web-1", "shop/web-2"] }],
    lifelines: { management: [], resolvers: ["10.0.2.53/32"], timeServers: [], controllers: [] },
  };
}

export function smallNetwork({ seed, hours, unitUs = HOUR_US }: SmallNetworkOptions): SmallNetwork {
  const random = dice(seed + 1);
  const half = Math.floor(hours / 2);
  const inventory = smallInventory(START_US + half * unitUs);
  const addressOf = new Map(inventory.workloads.map(({ id, addresses }) => [id, addresses[0]?.address as string]));
  const windows: ConversationWindow[] = [];
  const intended = new Set<string>();
  const never = new Set<string>();
  const talkOf = (client: string, server: string, port: number, protocol = TCP): Talk => ({
    client: addressOf.get(client) ?? client,
    server: addressOf.get(server) ?? server,
    clientIdentity: end(client, client.startsWith("198.51.100.") ? "office" : "external"),
    serverIdentity: end(server),
    port,
    protocol,
  });
  const put = (...[talk, unit, flows, outcome, more]: Parameters<typeof windowOf>) =>
    windows.push(windowOf(talk, unit, flows, outcome, { windowUs: unitUs, ...more }));
  /** Good traffic: seen in each unit with probability `rate`, but at least once. */
  const good = (
    client: string,
    server: string,
    port: number,
    rate: number,
    protocol = TCP,
    from = 0,
    until = hours,
  ) => {
    intended.add(`${client}>${server}/${protocol}/${port}`);
    const sure = from + Math.floor(random() * (until - from));
    for (let unit = from; unit < until; unit++) {
      if (unit === sure || random() < rate)
        put(talkOf(client, server, port, protocol), unit, 1 + Math.floor(random() * 9));
    }
  };
  const apis = ["shop/api-1", "shop/api-2", "shop/api-3"];
  for (const web of ["shop/web-1", "shop/web-2"]) {
    for (const api of apis) good(web, api, 8080, 0.9);
    good("198.51.100.3", web, 443, 0.7);
    good("198.51.100.4", web, 443, 0.5);
  }
  for (const api of apis) {
    good(api, "shop/db-1", 5432, 0.9);
    good(api, "shop/cache-1", 6379, 0.8);
    good(api, "203.0.113.80", 443, 0.4);
  }
  good("shop/batch-1", "shop/db-1", 5432, 0.3);
  good("shop/legacy-1", "shop/web-1", 443, 0.6);
  good("shop/old-1", "shop/db-1", 5432, 0.9, TCP, 0, half);
  good("shop/new-1", "shop/cache-1", 6379, 0.9, TCP, half, hours);
  never.add(`shop/new-1>shop/db-1/${TCP}/5432`).add(`shop/old-1>shop/cache-1/${TCP}/6379`);
  for (const { id } of inventory.workloads) {
    if (["infra/dns-1", "infra/scanner-1", "shop/silent-1", "shop/old-1", "shop/new-1"].includes(id)) continue;
    if (id !== "infra/prometheus-1") good("infra/prometheus-1", id, 9100, 0.8);
    good(id, "infra/dns-1", 53, 0.9, UDP);
  }
  // A client that never gives up on a closed port.
  never.add(`shop/legacy-1>shop/db-1/${TCP}/8443`);
  for (let unit = 0; unit < hours; unit++) put(talkOf("shop/legacy-1", "shop/db-1", 8443), unit, 4, "refused");
  // A scanner: once, everybody, ten ports; whatever is open answers it.
  const open = new Set([...intended].map((edge) => edge.slice(edge.indexOf(">") + 1)));
  for (const { id } of inventory.workloads) {
    if (id === "infra/scanner-1" || id === "shop/old-1" || id === "shop/new-1") continue;
    for (const port of [21, 22, 80, 443, 3306, 5432, 6379, 8080, 8443, 9100]) {
      never.add(`infra/scanner-1>${id}/${TCP}/${port}`);
      const at = half * unitUs + START_US + Math.floor(random() * 1_000_000);
      const outcome = open.has(`${id}/${TCP}/${port}`) ? "answered" : random() < 0.7 ? "refused" : "unanswered";
      put(talkOf("infra/scanner-1", id, port), half, 1, outcome, { firstSeenUs: at, lastSeenUs: at + 1000 });
    }
  }
  // One SSH session, once.
  never.add(`shop/batch-1>shop/db-1/${TCP}/22`);
  put(talkOf("shop/batch-1", "shop/db-1", 22), 1, 1);
  return { windows, inventory, intended: [...intended].sort(), never: [...never].sort() };
}
