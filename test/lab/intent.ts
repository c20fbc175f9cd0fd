import { HOSTS, hostNamed, type LabHost, workloadId } from "./company.js";

/** Who is meant to talk to whom: ends are workload ids or network names. For ICMP `port` is the type. */
export interface IntendedEdge {
  readonly client: string;
  readonly server: string;
  readonly protocol: "tcp" | "udp" | "icmp" | "icmpv6";
  readonly port: number;
  readonly note: string;
}

export const EXPORTER_PORT = 9100;
export const MAIL_PORT = 8025;

/** Where a decommissioned database used to listen; somebody forgot to tell etl-1. */
export const CLOSED_PORT = 5433;

const WEB = ["web-1", "web-2"];
const API = ["api-1", "api-2"];
const DESKS = ["desk-1", "desk-2"];
/** Hosts that run an SSH server. */
export const SSH_HOSTS = ["api-1", "db-1", "web-1"];

const PINGED = ["web-1", "web-2", "db-1", "db-2", "dns-1"];

const SERVICES: readonly (readonly [clients: string[], servers: string[], port: number, note: string])[] = [
  [["outside"], WEB, 443, "customers, TLS"],
  [["outside"], WEB, 80, "customers, plain HTTP"],
  [DESKS, WEB, 443, "employees browse the shop by its shared name"],
  [WEB, API, 8080, "reverse proxy to the API tier"],
  [API, ["db-1"], 5432, "orders"],
  [API, ["cache-1"], 6379, "product cache"],
  [API, ["pay-1"], 8443, "charge a card, TLS"],
  [API, ["worker-b"], MAIL_PORT, "order confirmations, second half only"],
  [["pay-1"], ["db-1"], 5432, "payment ledger"],
  [["pay-1"], ["partner"], 443, "card network, TLS"],
  [["worker-a"], ["cache-1"], 6379, "job queue, first half only"],
  [["worker-a"], API, 8080, "fetches pictures, first half only"],
  [["worker-b"], ["db-1"], 5432, "addressees, second half only"],
  [["db-2"], ["db-1"], 5432, "streaming replication"],
  [["batch-1"], ["db-1"], 5432, "settlement, periodic"],
  [["batch-1"], ["pay-1"], 8443, "settlement, periodic, TLS"],
  [["etl-1"], ["db-2"], 5432, "extracts from the replica"],
  [["etl-1"], ["cache-1"], 6379, "warms the cache"],
  [["analyst-1"], ["db-2"], 5432, "reports by hand"],
  [["backup-1"], ["db-2"], 5432, "pg_dumpall and copy"],
  [["backup-1"], ["cache-1"], 6379, "redis-cli --rdb"],
  [["probe-1"], WEB, 80, "health check"],
  [["bastion-1"], SSH_HOSTS, 22, "administration over SSH from the declared management host"],
];

/** A network's name stays, a host's name becomes its workload id. */
function endOf(name: string): string {
  return name === "outside" || name === "partner" ? name : workloadId(hostNamed(name));
}

/** Every edge the company is meant to have, sorted by client, server, protocol, port. DNS is everybody's who asks. */
export function intendedEdges(): readonly IntendedEdge[] {
  const edges: IntendedEdge[] = [];
  for (const [clients, servers, port, note] of SERVICES) {
    for (const client of clients) {
      for (const server of servers) {
        edges.push({ client: endOf(client), server: endOf(server), protocol: "tcp", port, note });
      }
    }
  }
  for (const host of HOSTS) {
    if (host.name === "metrics-1") continue;
    edges.push({
      client: "ops/metrics-1",
      server: workloadId(host),
      protocol: "tcp",
      port: EXPORTER_PORT,
      note: "metrics are scraped from everybody",
    });
  }
  for (const name of PINGED) {
    for (const [protocol, port] of [["icmp", 8] as const, ["icmpv6", 128] as const]) {
      edges.push({ client: "ops/probe-1", server: endOf(name), protocol, port, note: "ping monitoring" });
    }
  }
  for (const client of dnsClients()) {
    edges.push({ client: workloadId(client), server: "ops/dns-1", protocol: "udp", port: 53, note: "names" });
  }
  return edges.sort(compareEdges);
}

/** Hosts whose programs look names up; the scraper, the replica and the proxies are configured with addresses. */
function dnsClients(): readonly LabHost[] {
  const silent = new Set(["bastion-1", "cache-1", "db-1", "db-2", "dns-1", "kiosk-1", "metrics-1", "web-1", "web-2"]);
  return HOSTS.filter((host) => !silent.has(host.name));
}

/** Edges that no rule may permit although they look close to permitted ones; the scanner's come from its own log. */
export function forbiddenEdges(): readonly IntendedEdge[] {
  const edges: IntendedEdge[] = [];
  const forbid = (clients: readonly string[], servers: readonly string[], port: number, note: string) => {
    for (const client of clients) {
      for (const server of servers) {
        edges.push({ client: endOf(client), server: endOf(server), protocol: "tcp", port, note });
      }
    }
  };
  forbid(["etl-1"], ["db-1"], CLOSED_PORT, "retries a closed port");
  forbid(["desk-2"], ["api-1"], 22, "one SSH session, once: for a person to decide");
  forbid(["worker-b"], ["cache-1"], 6379, "edge of the address's former workload");
  forbid(["worker-b"], API, 8080, "edge of the address's former workload");
  forbid(["worker-a"], ["db-1"], 5432, "edge of the address's later workload");
  forbid(API, ["worker-a"], MAIL_PORT, "edge of the address's later workload");
  forbid(WEB, ["db-1", "db-2"], 5432, "the front end skips a tier");
  forbid(WEB, ["cache-1"], 6379, "the front end skips a tier");
  forbid(["outside"], ["db-1", "db-2"], 5432, "the database is not for the outside");
  forbid(["outside"], API, 8080, "the API is not for the outside");
  forbid(["outside"], WEB, EXPORTER_PORT, "metrics are not for the outside");
  forbid(["outside"], WEB, 22, "knocks from outside");
  forbid(["outside"], WEB, 3389, "knocks from outside");
  forbid(["partner"], ["pay-1"], 8443, "the reverse of an intended edge");
  forbid(DESKS, ["db-1", "db-2"], 5432, "only the analyst reports");
  forbid(["analyst-1"], ["db-1"], 5432, "the analyst reads the replica only");
  forbid(["db-1"], ["db-2"], 5432, "the reverse of an intended edge");
  return edges.sort(compareEdges);
}

export function compareEdges(a: IntendedEdge, b: IntendedEdge): number {
  return (
    compareText(a.client, b.client) ||
    compareText(a.server, b.server) ||
    compareText(a.protocol, b.protocol) ||
    a.port - b.port
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One line that names an edge without its note; equal exactly for equal edges. */
export function edgeKey(edge: Omit<IntendedEdge, "note">): string {
  return `${edge.client}\t${edge.server}\t${edge.protocol}\t${edge.port}`;
}
