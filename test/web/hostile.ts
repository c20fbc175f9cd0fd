import type { ExplorerSource } from "../../analyzer/explorer.js";
import type { Graph, GraphEdge, GraphNode } from "../../model/graph.js";
import { companySource, HOUR, START_US } from "./company.js";
import { namedAudit } from "./enforcement.js";

/** Text that a workload, a label, a DNS answer or an SNI may hold when somebody means harm. */
export const HOSTILE_NAMES: readonly string[] = [
  '<img src=x onerror="window.harmed=1">',
  "<script>window.harmed=1</script>",
  "javascript:window.harmed=1",
  '=HYPERLINK("http://attacker.example","click")',
  "+1+cmd|' /C calc'!A0",
  "@SUM(A1)",
  "evil\u202egnp.exe",
  "zero\u200bwidth\u0000null\nline",
  "\ud800 lone",
  `long-${"x".repeat(10_000)}`,
  "\"quote' \\ back`tick",
  "${7*7} {{7*7}} %s %00 ../../etc/passwd",
];

/** A source in which every name that comes from outside is one of them. */
export function hostileSource(): ExplorerSource {
  const base = companySource();
  const name = (i: number) => HOSTILE_NAMES[i % HOSTILE_NAMES.length] as string;
  const nodes = HOSTILE_NAMES.map((label, i): GraphNode => {
    const namespace = name(i % 3);
    const labels = { [name(i)]: name(i + 1), app: label };
    return {
      id: `workload:${i}/${label.slice(0, 40)}`,
      kind: "workload",
      label,
      namespace,
      labels,
      members: [label],
      memberCount: 1,
    };
  });
  const edges = nodes.map((client, i): GraphEdge => {
    const server = nodes[(i + 1) % nodes.length] as GraphNode;
    return {
      id: `${client.id}>${server.id}/tcp/443`,
      client: client.id,
      server: server.id,
      protocol: "tcp",
      port: 443,
      flows: { answered: 3, refused: 0, unanswered: 0, midstream: 0 },
      clientPackets: 9,
      serverPackets: 8,
      clientBytes: 900,
      serverBytes: 8000,
      firstSeenUs: START_US,
      lastSeenUs: START_US + HOUR,
      windows: 1,
      observers: [name(i + 2)],
      names: [name(i), name(i + 5)],
      state: i % 2 === 0 ? "allowed" : "quarantined",
      reason: name(i + 3),
      rules: [],
    };
  });
  const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1);
  const graph: Graph = {
    version: 1,
    level: "workload",
    fromUs: START_US,
    untilUs: START_US + HOUR,
    nodes: [...nodes].sort(byId),
    edges: [...edges].sort(byId),
  };
  return {
    ...base,
    graph: async () => graph,
    async edge(_level, id) {
      const edge = edges.find((candidate) => candidate.id === id);
      if (edge === undefined) return undefined;
      const sample = { client: name(0), server: name(1), protocol: "tcp", clientPort: 1, serverPort: 443 };
      const rest = { startUs: START_US, clientBytes: 1, serverBytes: 1, observer: name(6) };
      return { edge, samples: [{ ...sample, ...rest }], windows: [] };
    },
    sensors: async () => [
      { collector: name(1), firstSeenUs: START_US, lastSeenUs: START_US, batches: 1, flows: 1, dropped: 0 },
    ],
    heartbeats: async () => [
      {
        ...{ version: 1, sensor: name(2), kind: "collector", boot: name(0), atUs: START_US, startedUs: 0 },
        software: name(9).slice(0, 1024), // longer ones are refused as they come in
        interfaces: [{ name: name(6), program: name(1), packets: 1, dropped: "unknown", waiting: name(0) }],
        spool: { bytes: 1, batches: 1, lostBatches: 0, lostFlows: 0, fault: name(6) },
      },
    ],
    audit: async (span) => ({ report: namedAudit(HOSTILE_NAMES, span) }),
    async proposal() {
      const proposal = await base.proposal();
      const [rule] = proposal.policySet.rules;
      const rules =
        rule === undefined ? [] : [{ ...rule, reason: name(1), server: { kind: "group" as const, name: name(6) } }];
      const exclusions = proposal.exclusions.map((one, i) => ({
        ...one,
        client: name(i),
        server: name(i + 6),
        reason: name(i + 9),
      }));
      const gaps = proposal.gaps.map((gap) => ({ ...gap, collector: name(6), reason: name(0) }));
      const gates = [{ name: name(0), isMet: false, value: name(6), wanted: name(9) }];
      return {
        ...proposal,
        stateReason: name(0),
        gates,
        exclusions,
        gaps,
        policySet: { ...proposal.policySet, name: name(0), rules },
      };
    },
  };
}
