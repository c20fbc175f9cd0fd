import type { Labels } from "../../model/label-selector.js";

/** A machine of the lab's company: one network namespace, one workload. */
export interface LabHost {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly v4: string;
  readonly v6: string;
  readonly life: "whole" | "first-half" | "second-half"; // when it holds its addresses
}

/** A network beyond the router: addresses with a name, no workload behind them. */
export interface LabNetwork {
  readonly name: string;
  readonly cidrs: readonly string[];
  readonly addresses: readonly string[]; // IPv4 first
}

export const NAMESPACES = [
  { name: "data", labels: { env: "prod", owner: "data" } },
  { name: "office", labels: { env: "office", owner: "it" } },
  { name: "ops", labels: { env: "prod", owner: "sre" } },
  { name: "shop", labels: { env: "prod", owner: "storefront" } },
] as const;

/** 10.20.<site>.<number> and fd20::<site>:<number>, all on one switch. */
function host(
  namespace: "data" | "office" | "ops" | "shop",
  name: string,
  number: number,
  app: string,
  tier: string,
  more: { readonly role?: string; readonly life?: LabHost["life"] } = {},
): LabHost {
  const site = { shop: 1, data: 2, ops: 3, office: 4 }[namespace];
  const env = namespace === "office" ? "office" : "prod";
  return {
    namespace,
    name,
    labels: { app, tier, env, ...(more.role === undefined ? {} : { role: more.role }) },
    v4: `10.20.${site}.${number}`,
    v6: `fd20::${site}:${number}`,
    life: more.life ?? "whole",
  };
}

/** worker-a leaves halfway and worker-b, another program for another team, gets its addresses. */
export const HOSTS: readonly LabHost[] = [
  host("data", "batch-1", 31, "settlement", "batch"),
  host("data", "cache-1", 21, "redis", "cache"),
  host("data", "db-1", 11, "postgres", "database", { role: "primary" }),
  host("data", "db-2", 12, "postgres", "database", { role: "replica" }),
  host("data", "etl-1", 32, "etl", "batch"),
  host("office", "analyst-1", 23, "analyst", "desktop"),
  host("office", "desk-1", 21, "desk", "desktop"),
  host("office", "desk-2", 22, "desk", "desktop"),
  host("office", "kiosk-1", 66, "kiosk", "desktop"),
  host("ops", "backup-1", 14, "backup", "infra"),
  host("ops", "bastion-1", 20, "bastion", "infra"),
  host("ops", "dns-1", 11, "dns", "infra"),
  host("ops", "metrics-1", 12, "metrics", "infra"),
  host("ops", "probe-1", 13, "probe", "infra"),
  host("shop", "api-1", 21, "api", "backend"),
  host("shop", "api-2", 22, "api", "backend"),
  host("shop", "pay-1", 31, "payments", "backend"),
  host("shop", "web-1", 11, "web", "frontend"),
  host("shop", "web-2", 12, "web", "frontend"),
  host("shop", "worker-a", 40, "thumbnails", "worker", { life: "first-half" }),
  host("shop", "worker-b", 40, "mailer", "worker", { life: "second-half" }),
];

/** The one outside address that knocks on closed ports. */
export const OUTSIDE_KNOCKER = "198.51.100.66";

/** Documentation prefixes (RFC 5737, RFC 3849): nothing of the real Internet is named. */
export const OUTSIDE: LabNetwork = {
  name: "outside",
  cidrs: ["198.51.100.0/24", "2001:db8:51::/64"],
  addresses: [
    ...Array.from({ length: 12 }, (_, i) => `198.51.100.${10 + i}`),
    OUTSIDE_KNOCKER,
    ...Array.from({ length: 12 }, (_, i) => `2001:db8:51::${10 + i}`),
  ],
};

export const PARTNER: LabNetwork = {
  name: "partner",
  cidrs: ["203.0.113.0/24", "2001:db8:113::/64"],
  addresses: ["203.0.113.10", "2001:db8:113::10"],
};

export const ROUTER = { v4: "10.20.0.1", v6: "fd20::1", prefix4: 16, prefix6: 64 } as const;

/** Names that several addresses answer to, and names beyond the company. */
export const WEB_NAME = "web.shop.lab";
export const PAY_NAME = "pay-1.shop.lab";
export const PARTNER_NAME = "api.partner.example";

/** How a policy or the truth names the host. */
export function workloadId(host: LabHost): string {
  return `${host.namespace}/${host.name}`;
}

/** The host's own DNS name, e.g. `db-1.data.lab`. */
export function dnsName(host: LabHost): string {
  return `${host.name}.${host.namespace}.lab`;
}

/** @throws {RangeError} If the company has no such host. */
export function hostNamed(name: string): LabHost {
  const found = HOSTS.find((host) => host.name === name || workloadId(host) === name);
  if (found === undefined) throw new RangeError(`Cannot find host "${name}": not in the lab's company`);
  return found;
}
