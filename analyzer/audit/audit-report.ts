import type { Graph } from "../../model/graph.js";
import { formatProtocol } from "../../model/protocol.js";
import type { VerdictExample } from "../../model/verdict-report.js";
import { parseVerdictReport } from "../../model/verdict-report.js";
import type { Inventory } from "../../model/workload.js";
import { expressForHosts } from "../../policy/formats/nftables/express-for-hosts.js";
import { isolatedHosts } from "../../policy/formats/nftables/host-ruleset.js";
import type { SensorStatus } from "../explorer.js";
import type { ReadinessGate, SensorGap } from "../proposal.js";
import { compareReach, type ReachComparison } from "../report/reach.js";
import { type AcceptedDenial, acceptanceOf, type NamedEnd } from "./accepted-denials.js";
import type { AuditFigures, CountedEdge, EnforcerStanding } from "./audit-figures.js";
import { auditGates } from "./audit-gates.js";
import { namedEnds } from "./named-ends.js";
import type { PolicyApproval } from "./policy-approvals.js";

export const AUDIT_REPORT_VERSION = 1;

/** Examples of one edge that are shown; the counts are exact, examples are a sample. */
const MOST_EXAMPLES = 3;

/**
 * - `accepted`: a person said that this traffic may be denied.
 * - `new`: never counted before the span. `known`: counted before, and nobody has decided.
 */
export type EdgeStanding = "new" | "known" | "accepted";

/** Traffic that no rule permits, named. */
export interface AuditEdge extends Omit<CountedEdge, "client" | "server" | "protocol"> {
  readonly client: NamedEnd;
  readonly server: NamedEnd;
  readonly protocol: string;
  readonly standing: EdgeStanding;
  readonly acceptance?: { readonly by: string; readonly note: string };
  readonly examples: readonly Pick<VerdictExample, "clientPort" | "interface" | "atUs">[];
}

/** One policy set in the span. */
export interface AuditScope {
  readonly scope: string;
  readonly generation: number; // the newest that was published or reported
  readonly expectedHosts: readonly string[]; // that the policy isolates; empty where no readable policy was published
  readonly hosts: readonly EnforcerStanding[];
  readonly silentHosts: readonly string[]; // expected, and not heard of in the span
  readonly edges: readonly AuditEdge[]; // new before known before accepted, then by attempts
  readonly unusedRules: readonly { readonly rule: string; readonly reason: string }[];
  readonly approvals: readonly PolicyApproval[]; // newest first
  readonly gates: readonly ReadinessGate[];
  readonly reach?: ReachComparison; // absent without a readable policy
}

/** What a security team reads about enforcement. Everything is sorted: equal trails make equal reports. */
export interface AuditReport {
  readonly version: typeof AUDIT_REPORT_VERSION;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly scopes: readonly AuditScope[];
  readonly sensors: readonly SensorStatus[];
  readonly gaps: readonly SensorGap[]; // that touch the span
  readonly chain: {
    readonly before: string; // link in front of the first entry used
    readonly head: string; // link of the last; the same as `before` without entries
    readonly first: number | undefined;
    readonly last: number | undefined;
  };
}

export interface AuditInput {
  readonly figures: AuditFigures;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly approvals: readonly PolicyApproval[]; // of `figures.policies`
  readonly accepted: readonly AcceptedDenial[];
  readonly inventory: Inventory;
  readonly graph: Graph; // at workload level
  readonly sensors: readonly SensorStatus[];
  readonly gaps: readonly SensorGap[];
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const STANDINGS: readonly EdgeStanding[] = ["new", "known", "accepted"];

type EdgeKey = Pick<CountedEdge, "direction" | "client" | "server" | "protocol" | "port">;
const edgeKey = (scope: string, { direction, client, server, protocol, port }: EdgeKey) =>
  JSON.stringify([scope, direction, client, server, protocol, port]);

/** Single packets that enforcers sent along, by edge. */
function examplesOf({ entries }: AuditFigures): Map<string, AuditEdge["examples"][number][]> {
  const examples = new Map<string, AuditEdge["examples"][number][]>();
  for (const { kind, text } of entries) {
    if (kind !== "verdicts") continue;
    const report = parseVerdictReport(Buffer.from(text));
    for (const example of report.examples ?? []) {
      const key = edgeKey(report.scope, example);
      const list = examples.get(key) ?? [];
      const { clientPort, interface: name, atUs } = example;
      if (list.length < MOST_EXAMPLES) list.push({ clientPort, interface: name, atUs });
      examples.set(key, list);
    }
  }
  return examples;
}

function edgesOf(input: AuditInput): AuditEdge[] {
  const { figures, inventory, accepted, fromUs } = input;
  const nameOf = namedEnds(inventory);
  const examples = examplesOf(figures);
  return figures.edges.map((edge): AuditEdge => {
    const client = nameOf(edge.client, edge.lastUs);
    const server = nameOf(edge.server, edge.lastUs);
    const denial = acceptanceOf(accepted, edge, client, server);
    return {
      ...edge,
      client,
      server,
      protocol: formatProtocol(edge.protocol),
      standing: denial !== undefined ? "accepted" : edge.everFirstUs >= fromUs ? "new" : "known",
      ...(denial === undefined ? {} : { acceptance: { by: denial.by, note: denial.note } }),
      examples: examples.get(edgeKey(edge.scope, edge)) ?? [],
    };
  });
}

function byWeight(a: AuditEdge, b: AuditEdge): number {
  return (
    STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing) ||
    b.audited + b.denied - (a.audited + a.denied) ||
    byText(
      JSON.stringify([a.direction, a.client, a.server, a.protocol, a.port]),
      JSON.stringify([b.direction, b.client, b.server, b.protocol, b.port]),
    )
  );
}

function scopeOf(
  scope: string,
  input: AuditInput,
  edges: readonly AuditEdge[],
  gaps: readonly SensorGap[],
): AuditScope {
  const { figures, inventory, graph } = input;
  const hosts = figures.enforcers.filter((standing) => standing.scope === scope);
  const approvals = input.approvals.filter(({ order }) => order?.scope === scope).sort((a, b) => b.entry - a.entry);
  const current = approvals.find(({ trust }) => trust.kind !== "refused")?.order;
  const policySet = current?.policySet;
  const expectedHosts =
    policySet === undefined
      ? []
      : isolatedHosts(expressForHosts(policySet, inventory, { mode: "audit" }))
          .map(({ id }) => id)
          .sort(byText);
  const heard = new Set(hosts.map(({ host }) => host));
  const used = new Set(figures.permits.filter((permit) => permit.scope === scope).map(({ rule }) => rule));
  const told = {
    scope,
    generation: Math.max(0, current?.generation ?? 0, ...hosts.map(({ generation }) => generation)),
    expectedHosts,
    hosts,
    silentHosts: expectedHosts.filter((host) => !heard.has(host)),
    edges: edges.filter((edge) => edge.scope === scope).sort(byWeight),
    unusedRules: (policySet?.rules ?? [])
      .filter(({ id }) => !used.has(id))
      .map(({ id, reason }) => ({ rule: id, reason }))
      .sort((a, b) => byText(a.rule, b.rule)),
    approvals,
  };
  return {
    ...told,
    gates: auditGates(told, gaps),
    ...(policySet === undefined ? {} : { reach: compareReach(graph, policySet, inventory) }),
  };
}

/** Pure: what the trail, the inventory and the decisions of people come to. */
export function auditReport(input: AuditInput): AuditReport {
  const { figures, fromUs, untilUs, sensors } = input;
  const edges = edgesOf(input);
  const gaps = input.gaps.filter((gap) => gap.untilUs >= fromUs && gap.fromUs < untilUs);
  const names = new Set([
    ...figures.enforcers.map(({ scope }) => scope),
    ...input.approvals.flatMap(({ order }) => (order === undefined ? [] : [order.scope])),
  ]);
  const [first] = figures.entries;
  const last = figures.entries.at(-1);
  return {
    version: AUDIT_REPORT_VERSION,
    fromUs,
    untilUs,
    scopes: [...names].sort(byText).map((scope) => scopeOf(scope, input, edges, gaps)),
    sensors,
    gaps,
    chain: { before: figures.before, head: last?.link ?? figures.before, first: first?.number, last: last?.number },
  };
}
