import type { EnforcerStanding } from "../../analyzer/audit/audit-figures.js";
import type { AuditEdge, AuditReport, AuditScope } from "../../analyzer/audit/audit-report.js";
import type { PolicyApproval } from "../../analyzer/audit/policy-approvals.js";
import type { TimeSpan } from "../../analyzer/explorer.js";

/** 2026-03-03T00:00:00Z, in microseconds. */
const MIDNIGHT = Date.UTC(2026, 2, 3) * 1000;
const MINUTE = 60_000_000;

function edge(number: number, more: Partial<AuditEdge> = {}): AuditEdge {
  return {
    scope: "shop",
    direction: "ingress",
    client: { address: `10.0.9.${number % 250}`, name: `office/laptop-${number}` },
    server: { address: "10.0.1.4", name: "data/postgres-0" },
    protocol: "tcp",
    port: 5432,
    audited: 1,
    denied: 0,
    hosts: ["data/postgres-0"],
    firstUs: MIDNIGHT + number * MINUTE,
    lastUs: MIDNIGHT + number * MINUTE + 30_000_000,
    everFirstUs: MIDNIGHT + number * MINUTE,
    standing: "new",
    examples: [],
    ...more,
  };
}

function host(name: string, more: Partial<EnforcerStanding> = {}): EnforcerStanding {
  return {
    scope: "shop",
    enforcer: name,
    host: name,
    generation: 7,
    mode: "audit",
    modeSinceUs: MIDNIGHT - 600 * MINUTE,
    state: "audit",
    firstReportUs: MIDNIGHT,
    lastReportUs: MIDNIGHT + 55 * MINUTE,
    reports: 330,
    missingReports: 0,
    counters: { missed: 60, repeated: 9, recorded: 51, denied: 0, invalid: 0, midstream: 0 },
    unrecorded: 0,
    ...more,
  };
}

const APPROVALS: readonly PolicyApproval[] = [
  {
    entry: 12,
    receivedUs: MIDNIGHT - 700 * MINUTE,
    order: undefined,
    signatures: [
      { role: "author", keyId: "k1", person: "Ada Lovelace", at: "2026-03-02T10:00:00Z" },
      { role: "approver", keyId: "k2", person: "Grace Hopper", at: "2026-03-02T11:00:00Z" },
    ],
    trust: { kind: "verified" },
  },
  {
    entry: 3,
    receivedUs: MIDNIGHT - 900 * MINUTE,
    order: undefined,
    signatures: [],
    trust: { kind: "refused", reason: "the signature of key k9 does not hold" },
  },
];

function scope(name: string, edges: readonly AuditEdge[], more: Partial<AuditScope> = {}): AuditScope {
  return {
    scope: name,
    generation: 7,
    expectedHosts: ["data/postgres-0", "shop/cart-0", "shop/search-0"],
    hosts: [
      host("data/postgres-0"),
      host("shop/cart-0", { mode: "deny", state: "trial", modeSinceUs: MIDNIGHT - 20 * MINUTE, missingReports: 2 }),
    ],
    silentHosts: ["shop/search-0"],
    edges,
    unusedRules: [{ rule: "relay-to-external-tcp-587", reason: "seen on two days in working hours" }],
    approvals: APPROVALS,
    gates: [
      { name: "every host reports", isMet: false, value: "2 of 3", wanted: "all that the policy isolates" },
      { name: "every attempt is counted", isMet: true, value: "0 without an edge", wanted: "0" },
    ],
    reach: {
      ...{ sources: 62, workloads: 62, services: 41, observed: 204 },
      flat: { cells: 2_501, segmentedness: 0, direct: 33.4, transitive: 33.4, transitive95: 34 },
      policy: { cells: 233, segmentedness: 0.907, direct: 3.2, transitive: 6.1, transitive95: 12 },
    },
    ...more,
  };
}

const chain = { before: "0".repeat(64), head: "6c1f".repeat(16), first: 13, last: 742 };

const HOUR = 60 * MINUTE;

/**
 * Two policies of the company: one with all that there is to see, and more edges than a page lists; one at peace.
 * In one hour nothing was reported.
 */
export function companyAudit({ fromUs, untilUs }: Required<TimeSpan>): AuditReport {
  if (untilUs - fromUs === HOUR) {
    const nothing = { before: chain.head, head: chain.head, first: undefined, last: undefined };
    return { version: 1, fromUs, untilUs, scopes: [], sensors: [], gaps: [], chain: nothing };
  }
  const scanned = Array.from({ length: 120 }, (_, i) => edge(i, { audited: 400 - i, port: 1 + i }));
  const edges = [
    ...scanned.map((each, i) =>
      i === 0 ? { ...each, examples: [{ clientPort: 41_022, interface: "eth0", atUs: MIDNIGHT }] } : each,
    ),
    edge(400, { standing: "known", denied: 12, audited: 0, protocol: "icmp", port: 0x0800 }),
    edge(401, { standing: "accepted", acceptance: { by: "Ada Lovelace", note: "our own scanner" }, audited: 9 }),
  ];
  return {
    version: 1,
    fromUs,
    untilUs,
    scopes: [
      scope("shop", edges),
      scope("warehouse", [], {
        ...{ silentHosts: [], expectedHosts: [], unusedRules: [], approvals: [] },
        hosts: [host("warehouse/stock-0", { mode: "deny", state: "deny", generation: 7 })],
        gates: [{ name: "every attempt is counted", isMet: true, value: "0 without an edge", wanted: "0" }],
      }),
    ],
    sensors: [],
    gaps: [
      {
        collector: "node-b",
        fromUs: MIDNIGHT,
        untilUs: MIDNIGHT + MINUTE,
        lost: "unknown",
        reason: "the capture cannot tell",
      },
    ],
    chain,
  };
}

/** One of everything under each of these names. */
export function namedAudit(names: readonly string[], { fromUs, untilUs }: Required<TimeSpan>): AuditReport {
  const edges = names.map((name, i) =>
    edge(i, {
      client: { address: "10.0.0.1", name },
      server: { address: "10.0.0.2", name },
      port: 1 + i,
      standing: "accepted",
      acceptance: { by: name, note: name },
      denied: 1,
      examples: [{ clientPort: 1, interface: name, atUs: MIDNIGHT }],
    }),
  );
  const named = scope("shop", edges, {
    hosts: names.map((name) => host(name)),
    silentHosts: names,
    unusedRules: names.map((name) => ({ rule: name, reason: name })),
    approvals: names.map((name, i) => ({
      entry: 1 + i,
      receivedUs: MIDNIGHT,
      order: undefined,
      signatures: [{ role: name, keyId: name, person: name, at: name }],
      trust: { kind: "refused", reason: name },
    })),
    gates: names.map((name) => ({ name, isMet: false, value: name, wanted: name })),
  });
  const gaps = names.map((name) => ({ collector: name, fromUs: 0, untilUs: 0, lost: 1, reason: name }));
  const scopes = [named, ...names.map((name) => scope(name, []))];
  return { version: 1, fromUs, untilUs, scopes, sensors: [], gaps, chain };
}
