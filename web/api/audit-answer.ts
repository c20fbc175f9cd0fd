import type { AuditEdge, AuditReport, AuditScope, EdgeStanding } from "../../analyzer/audit/audit-report.js";
import type { AuditAnswer, AuditScope as ShownScope } from "./contract.js";

const SCOPES_LISTED = 100;
const HOSTS_LISTED = 500;
const EDGES_LISTED = 100; // of one scope, of what was denied and of what would be
const RULES_LISTED = 200;
const APPROVALS_LISTED = 50;
const GAPS_LISTED = 500;

function tallyOf({ edges }: AuditScope, standing: EdgeStanding) {
  const ours = edges.filter((edge) => edge.standing === standing);
  const sum = (of: "audited" | "denied") => ours.reduce((all, edge) => all + edge[of], 0);
  return { edges: ours.length, audited: sum("audited"), denied: sum("denied") };
}

/** The first of both kinds, so that many edges of one never hide the other. */
function listedEdges(audited: readonly AuditEdge[], denied: readonly AuditEdge[], edges: readonly AuditEdge[]) {
  const listed = new Set([...audited.slice(0, EDGES_LISTED), ...denied.slice(0, EDGES_LISTED)]);
  return edges.filter((edge) => listed.has(edge));
}

function scopeOf(scope: AuditScope): ShownScope {
  const { hosts, silentHosts, edges, unusedRules, approvals, reach } = scope;
  const audited = edges.filter((edge) => edge.audited > 0);
  const denied = edges.filter((edge) => edge.denied > 0);
  return {
    scope: scope.scope,
    generation: scope.generation,
    expectedHostCount: scope.expectedHosts.length,
    hosts: hosts.slice(0, HOSTS_LISTED).map(({ counters: { recorded, denied }, ...host }) => ({
      ...host,
      recorded,
      denied,
    })),
    hostCount: hosts.length,
    silentHosts: silentHosts.slice(0, HOSTS_LISTED),
    silentHostCount: silentHosts.length,
    tallies: { new: tallyOf(scope, "new"), known: tallyOf(scope, "known"), accepted: tallyOf(scope, "accepted") },
    edges: listedEdges(audited, denied, edges),
    auditedEdgeCount: audited.length,
    deniedEdgeCount: denied.length,
    unusedRules: unusedRules.slice(0, RULES_LISTED),
    unusedRuleCount: unusedRules.length,
    approvals: approvals.slice(0, APPROVALS_LISTED).map(({ entry, receivedUs, order, signatures, trust }) => ({
      ...{ entry, receivedUs, signatures, trust },
      ...(order === undefined ? {} : { generation: order.generation, expires: order.expires }),
    })),
    approvalCount: approvals.length,
    gates: scope.gates,
    ...(reach === undefined ? {} : { reach }),
  };
}

/** What a page shows of a report: as much as a person reads, and how much there is. */
export function auditAnswer(report: AuditReport, revision: number): AuditAnswer {
  const { fromUs, untilUs, scopes, gaps, chain } = report;
  return {
    revision,
    fromUs,
    untilUs,
    scopes: scopes.slice(0, SCOPES_LISTED).map(scopeOf),
    scopeCount: scopes.length,
    gaps: gaps.slice(-GAPS_LISTED),
    gapCount: gaps.length,
    chain: {
      before: chain.before,
      head: chain.head,
      ...(chain.first === undefined ? {} : { first: chain.first }),
      ...(chain.last === undefined ? {} : { last: chain.last }),
    },
  };
}
