/**
 * The shapes of the HTTP API, as schemas: they check what comes in, bound what goes out, and are the OpenAPI document.
 * The browser takes only the types.
 */

import { z } from "zod";
import { heartbeatSchema } from "../../model/sensor-heartbeat.js";

export const GRAPH_LEVELS = ["workload", "app", "namespace"] as const;
export const EDGE_STATES = ["allowed", "quarantined", "undecided", "excluded"] as const;
export const MARK_LIMIT = 150;

const timeUs = z.number().describe("microseconds since the Unix epoch");
const labels = z.record(z.string(), z.string());

/** What each view is asked: one query over one level and one span of time. */
const viewShape = {
  level: z.enum(GRAPH_LEVELS).default("workload").describe("what a node stands for"),
  q: z.string().max(4000).default("").describe("query, e.g. ns=payments port=443"),
  from: z.coerce.number().nonnegative().optional().describe("start of the window in µs, inclusive"),
  until: z.coerce.number().nonnegative().optional().describe("end of the window in µs, exclusive"),
};
export const ViewParams = z.object(viewShape);
export type ViewParams = z.infer<typeof ViewParams>;

const groupingShape = {
  group: z
    .string()
    .max(200)
    .regex(/^(?:namespace|kind|none|label:.+)$/, "wanted namespace, kind, none or label:KEY")
    .default("namespace")
    .describe("what makes an island: namespace, kind, none or label:KEY"),
};

export const MapParams = z.object({
  ...viewShape,
  ...groupingShape,
  open: z.string().max(20_000).default("").describe("islands to open, comma-separated and URI-encoded; * opens all"),
  closed: z.string().max(20_000).default("").describe("islands to close, likewise"),
  hubs: z.enum(["badges", "links"]).default("badges").describe("how servers that most islands call are drawn"),
});
export type MapParams = z.infer<typeof MapParams>;

export const LayoutParams = z.object({ level: viewShape.level, ...groupingShape });

export const MatrixParams = z.object({
  ...viewShape,
  ...groupingShape,
  open: MapParams.shape.open,
  closed: MapParams.shape.closed,
});

export const SORT_FIELDS = [
  "state",
  "client",
  "server",
  "service",
  "flows",
  "failed",
  "bytes",
  "first",
  "last",
  "windows",
] as const;
export const EdgesParams = z.object({
  ...viewShape,
  sort: z.enum(SORT_FIELDS).default("flows"),
  dir: z.enum(["asc", "desc"]).default("desc"),
  offset: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  format: z.enum(["json", "csv"]).default("json").describe("csv holds every row, whatever the page"),
});
export type EdgesParams = z.infer<typeof EdgesParams>;

export const EdgeParams = z.object({ level: viewShape.level, from: viewShape.from, until: viewShape.until });
export const TimelineParams = z.object({ slices: z.coerce.number().int().min(1).max(500).default(120) });
export const CompleteParams = z.object({
  level: viewShape.level,
  q: viewShape.q,
  at: z.coerce.number().int().nonnegative().optional().describe("cursor; the end when absent"),
});

const outcomes = z.object({
  answered: z.number(),
  refused: z.number(),
  unanswered: z.number(),
  midstream: z.number(),
});

/** Edges per state; the same figures stand beside every view of one query. */
export const StateCounts = z.object({
  allowed: z.number(),
  quarantined: z.number(),
  undecided: z.number(),
  excluded: z.number(),
});
export type StateCounts = z.infer<typeof StateCounts>;

const edgeState = z.enum(EDGE_STATES);

export const Edge = z.object({
  id: z.string(),
  client: z.string(),
  server: z.string(),
  protocol: z.string(),
  port: z.number(),
  flows: outcomes,
  clientPackets: z.number(),
  serverPackets: z.number(),
  clientBytes: z.number(),
  serverBytes: z.number(),
  firstSeenUs: timeUs,
  lastSeenUs: timeUs,
  windows: z.number(),
  observers: z.array(z.string()).readonly(),
  names: z.array(z.string()).readonly(),
  state: edgeState,
  reason: z.string(),
  rules: z.array(z.string()).readonly(),
});
export type Edge = z.infer<typeof Edge>;

export const Node = z.object({
  id: z.string(),
  kind: z.enum([...GRAPH_LEVELS, "group"]),
  label: z.string(),
  namespace: z.string().optional(),
  labels,
  members: z.array(z.string()).readonly(),
  memberCount: z.number(),
});
export type Node = z.infer<typeof Node>;

const head = { revision: z.number(), counts: StateCounts };

/** A node, a closed island, or the rest of an island that did not fit. */
export const Mark = z.object({
  id: z.string(),
  kind: z.enum([...GRAPH_LEVELS, "group", "island", "rest"]),
  label: z.string(),
  island: z.string(),
  nodes: z.number().describe("how many nodes the mark stands for"),
  x: z.number(),
  y: z.number(),
  radius: z.number().describe("of a closed island; 0 for a node"),
  isMatch: z.boolean().describe("whether an edge of the query ends here; others are context"),
  hubs: z.array(z.number()).readonly().describe("indices of the hubs that this mark calls"),
});
export type Mark = z.infer<typeof Mark>;

export const Link = z.object({
  id: z.string(),
  client: z.string(),
  server: z.string(),
  state: edgeState,
  edges: z.number(),
  flows: z.number(),
  bytes: z.number(),
  services: z.array(z.string()).readonly().describe("at most 4, busiest first"),
  serviceCount: z.number(),
  edge: z.string().optional().describe("the edge's id when there is exactly one"),
  hub: z.number().optional().describe("index of the hub whose badge stands for this link"),
});
export type Link = z.infer<typeof Link>;

export const MapAnswer = z.object({
  ...head,
  layoutVersion: z.number(),
  layoutHash: z.string().describe("empty when the graph is so large that the page lays it out, from /api/layout"),
  bounds: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
  islands: z
    .array(
      z.object({
        id: z.string(),
        label: z.string(),
        x: z.number(),
        y: z.number(),
        radius: z.number(),
        nodes: z.number(),
        isOpen: z.boolean(),
      }),
    )
    .readonly(),
  marks: z.array(Mark).readonly(),
  links: z.array(Link).readonly().describe("sorted by client, server and state"),
  hubs: z.array(z.object({ mark: z.string(), label: z.string(), callers: z.number(), edges: z.number() })).readonly(),
  shown: z.object({ nodes: z.number(), edges: z.number() }),
  hidden: z.object({ nodes: z.number(), edges: z.number() }).describe("inside closed islands, or beyond the bound"),
  total: z.object({ nodes: z.number(), edges: z.number() }),
});
export type MapAnswer = z.infer<typeof MapAnswer>;

export const LayoutAnswer = z.object({
  revision: z.number(),
  nodes: z.array(z.object({ id: z.string(), group: z.string() })).readonly(),
  links: z.array(z.object({ client: z.string(), server: z.string(), weight: z.number() })).readonly(),
});
export type LayoutAnswer = z.infer<typeof LayoutAnswer>;

export const EdgesAnswer = z.object({
  ...head,
  total: z.number(),
  offset: z.number(),
  edges: z.array(z.object({ ...Edge.shape, clientLabel: z.string(), serverLabel: z.string() })).readonly(),
});
export type EdgesAnswer = z.infer<typeof EdgesAnswer>;

export const MatrixAnswer = z.object({
  ...head,
  clients: z.array(z.object({ id: z.string(), label: z.string(), island: z.string() })).readonly(),
  servers: z.array(z.object({ id: z.string(), label: z.string(), island: z.string() })).readonly(),
  cells: z
    .array(
      z.object({
        row: z.number(),
        column: z.number(),
        state: edgeState,
        counts: StateCounts,
        edges: z.number(),
        flows: z.number(),
        services: z.array(z.string()).readonly(),
        edge: z.string().optional(),
      }),
    )
    .readonly(),
  shown: z.object({ nodes: z.number(), edges: z.number() }),
  hidden: z.object({ nodes: z.number(), edges: z.number() }),
});
export type MatrixAnswer = z.infer<typeof MatrixAnswer>;

export const FlowSample = z.object({
  client: z.string(),
  server: z.string(),
  protocol: z.string(),
  clientPort: z.number(),
  serverPort: z.number(),
  startUs: timeUs,
  clientBytes: z.number(),
  serverBytes: z.number(),
  observer: z.string(),
});
export type FlowSample = z.infer<typeof FlowSample>;

export const EdgeAnswer = z.object({
  revision: z.number(),
  edge: Edge,
  client: Node,
  server: Node,
  samples: z.array(FlowSample).readonly(),
  windows: z.array(z.object({ startUs: timeUs, answered: z.number(), failed: z.number() })).readonly(),
});
export type EdgeAnswer = z.infer<typeof EdgeAnswer>;

export const NodeAnswer = z.object({ revision: z.number(), node: Node });
export type NodeAnswer = z.infer<typeof NodeAnswer>;

export const TimelineAnswer = z.object({
  revision: z.number(),
  slices: z
    .array(z.object({ startUs: timeUs, widthUs: z.number(), answered: z.number(), failed: z.number() }))
    .readonly(),
});
export type TimelineAnswer = z.infer<typeof TimelineAnswer>;

/** One sensor: what was stored of it, and what it last said of itself. One of the two may be missing, never both. */
export const Sensor = z.object({
  id: z.string(),
  stored: z
    .object({
      firstSeenUs: timeUs,
      lastSeenUs: timeUs,
      batches: z.number(),
      flows: z.number(),
      dropped: z.union([z.number(), z.literal("unknown")]),
      clocks: z
        .array(z.object({ other: z.string(), aheadUs: z.number(), flows: z.number() }))
        .readonly()
        .optional()
        .describe("how far its clock is ahead of others', by the flows that both saw begin"),
    })
    .optional(),
  heartbeat: heartbeatSchema.optional(),
});
export type Sensor = z.infer<typeof Sensor>;

export const SensorsAnswer = z.object({
  revision: z.number(),
  nowUs: timeUs.describe("the server's clock, against which heartbeats are old or not"),
  silentAfterUs: z.number().describe("after so long without a heartbeat nobody can say that a sensor lives"),
  sensors: z.array(Sensor).readonly(),
  sensorCount: z.number().describe("all of them, also those that are not listed"),
  gaps: z
    .array(
      z.object({
        collector: z.string(),
        fromUs: timeUs,
        untilUs: timeUs,
        lost: z.union([z.number(), z.literal("unknown")]).describe("packets"),
        lostFlows: z.number().optional().describe("where the collector counted what it had and could not deliver"),
        reason: z.string(),
      }),
    )
    .readonly(),
  gapCount: z.number(),
});
export type SensorsAnswer = z.infer<typeof SensorsAnswer>;

const requirement = z.discriminatedUnion("operator", [
  z.object({ key: z.string(), operator: z.literal("In"), values: z.array(z.string()).readonly() }),
  z.object({ key: z.string(), operator: z.literal("NotIn"), values: z.array(z.string()).readonly() }),
  z.object({ key: z.string(), operator: z.literal("Exists") }),
  z.object({ key: z.string(), operator: z.literal("DoesNotExist") }),
]);
const selector = z.object({ requirements: z.array(requirement).readonly() });
const workloadSelector = z.object({
  namespaces: selector,
  labels: selector,
  serviceAccounts: z.array(z.string()).readonly(),
});
const peer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("workloads"), selector: workloadSelector }),
  z.object({ kind: z.literal("cidr"), cidr: z.string(), except: z.array(z.string()).readonly() }),
  z.object({ kind: z.literal("group"), name: z.string() }),
  z.object({ kind: z.literal("fqdn"), pattern: z.string() }),
  z.object({ kind: z.literal("any") }),
]);
export type Peer = z.infer<typeof peer>;
const service = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("ports"),
    protocol: z.enum(["tcp", "udp", "sctp"]),
    ports: z.object({ first: z.number(), last: z.number() }),
  }),
  z.object({
    kind: z.literal("icmp"),
    protocol: z.enum(["icmp", "icmpv6"]),
    type: z.number().optional(),
    code: z.number().optional(),
  }),
  z.object({ kind: z.literal("protocol"), protocol: z.number() }),
  z.object({ kind: z.literal("any") }),
]);
export type Service = z.infer<typeof service>;

export const Rule = z.object({
  id: z.string(),
  client: peer,
  server: peer,
  services: z.array(service).readonly(),
  reason: z.string(),
  confidence: z.number(),
  evidence: z
    .object({
      firstSeenUs: timeUs,
      lastSeenUs: timeUs,
      windows: z.number(),
      flows: z.number(),
      clients: z.array(z.string()).readonly(),
      servers: z.array(z.string()).readonly(),
      observers: z.array(z.string()).readonly(),
      names: z.array(z.string()).readonly(),
      samples: z.array(FlowSample).readonly(),
    })
    .optional(),
  widenings: z
    .array(
      z.object({
        kind: z.enum(["role", "ports", "addresses", "icmp", "lifeline"]),
        text: z.string(),
        cells: z.number(),
      }),
    )
    .readonly(),
});
export type Rule = z.infer<typeof Rule>;

const proposalState = z.enum(["not-enough-data", "learning", "ready-for-review"]);

export const ProposalAnswer = z.object({
  revision: z.number(),
  targets: z.array(z.string()).readonly(),
  proposal: z.object({
    version: z.number(),
    state: proposalState,
    stateReason: z.string(),
    gates: z
      .array(z.object({ name: z.string(), isMet: z.boolean(), value: z.string(), wanted: z.string() }))
      .readonly(),
    fromUs: timeUs,
    untilUs: timeUs,
    policySet: z.object({
      version: z.number(),
      name: z.string(),
      generation: z.number(),
      rules: z.array(Rule).readonly(),
      isolations: z
        .array(
          z.object({
            selector: workloadSelector,
            direction: z.enum(["ingress", "egress"]),
            mode: z.enum(["audit", "deny"]),
          }),
        )
        .readonly(),
      groups: z.array(z.object({ name: z.string(), cidrs: z.array(z.string()).readonly() })).readonly(),
    }),
    roles: z
      .array(
        z.object({
          name: z.string(),
          basis: z.enum(["labels", "profile", "single"]),
          members: z.array(z.string()).readonly(),
        }),
      )
      .readonly(),
    openWorkloads: z.array(z.object({ workload: z.string(), reason: z.string() })).readonly(),
    exclusions: z
      .array(
        z.object({
          kind: z.enum(["unanswered", "refused", "scan", "quarantine", "direction", "midstream", "housekeeping"]),
          client: z.string(),
          server: z.string(),
          protocol: z.string(),
          ports: z.array(z.number()).readonly(),
          flows: z.number(),
          firstSeenUs: timeUs,
          lastSeenUs: timeUs,
          reason: z.string(),
        }),
      )
      .readonly(),
    gaps: z
      .array(
        z.object({
          collector: z.string(),
          fromUs: timeUs,
          untilUs: timeUs,
          lost: z.union([z.number(), z.literal("unknown")]),
          lostFlows: z.number().optional(),
          reason: z.string(),
        }),
      )
      .readonly(),
  }),
});
export type ProposalAnswer = z.infer<typeof ProposalAnswer>;

export const RuleAnswer = z.object({
  revision: z.number(),
  rule: Rule,
  edges: z.array(Edge).readonly().describe("workload edges that the rule permits, at most 200"),
  edgeCount: z.number(),
});
export type RuleAnswer = z.infer<typeof RuleAnswer>;

export const BundleAnswer = z.object({
  revision: z.number(),
  target: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), text: z.string() })).readonly(),
  losses: z
    .array(z.object({ ruleId: z.string(), kind: z.enum(["widened", "dropped", "conditional"]), text: z.string() }))
    .readonly()
    .describe("what the target cannot say"),
});
export type BundleAnswer = z.infer<typeof BundleAnswer>;

export const CompleteAnswer = z.object({
  from: z.number(),
  to: z.number(),
  options: z.array(z.object({ text: z.string(), detail: z.string() })).readonly(),
});
export type CompleteAnswer = z.infer<typeof CompleteAnswer>;

export const OverviewAnswer = z.object({
  version: z.string(),
  revision: z.number(),
  fromUs: timeUs,
  untilUs: timeUs,
  nodes: z.number(),
  edges: z.number(),
  flows: z.number(),
  counts: StateCounts,
  labelKeys: z.array(z.string()).readonly().describe("label keys that could make islands"),
  proposal: z.object({ state: proposalState, stateReason: z.string(), rules: z.number(), exclusions: z.number() }),
  sensors: z.object({ count: z.number(), dropped: z.union([z.number(), z.literal("unknown")]) }),
});
export type OverviewAnswer = z.infer<typeof OverviewAnswer>;

export const AuditParams = z.object({
  from: z.coerce.number().nonnegative().describe("start of the span in µs, inclusive, by the time of receipt"),
  until: z.coerce.number().nonnegative().describe("end of the span in µs, exclusive"),
});

const namedEnd = z.object({ address: z.string(), name: z.string() });

/** Traffic that no rule permits, with exact counts of attempts. */
export const AuditEdge = z.object({
  direction: z.enum(["ingress", "egress"]),
  client: namedEnd,
  server: namedEnd,
  protocol: z.string(),
  port: z.number().describe("server port; ICMP type << 8 | code"),
  audited: z.number().describe("attempts let through in audit mode, which deny would drop"),
  denied: z.number().describe("attempts dropped"),
  hosts: z.array(z.string()).readonly(),
  firstUs: timeUs,
  lastUs: timeUs,
  everFirstUs: timeUs.describe("at any time, also before the span"),
  standing: z.enum(["new", "known", "accepted"]),
  acceptance: z.object({ by: z.string(), note: z.string() }).optional(),
  examples: z
    .array(z.object({ clientPort: z.number(), interface: z.string(), atUs: timeUs }))
    .readonly()
    .describe("single packets; the counts are exact, these are a sample"),
});
export type AuditEdge = z.infer<typeof AuditEdge>;

const reachFigures = z.object({
  cells: z.number().describe("(source, service) pairs that are open"),
  segmentedness: z.number().describe("share of cells that are closed"),
  direct: z.number().describe("hosts a workload reaches directly, mean"),
  transitive: z.number().describe("hosts it reaches in any number of steps, mean"),
  transitive95: z.number().describe("the same, 95th percentile"),
});

const edgeTally = z.object({ edges: z.number(), audited: z.number(), denied: z.number() });

/** One policy set in the span. Lists are bounded; beside each stands how many there are. */
export const AuditScope = z.object({
  scope: z.string(),
  generation: z.number(),
  expectedHostCount: z.number().describe("hosts that the published policy isolates; 0 where that is not known"),
  hosts: z
    .array(
      z.object({
        host: z.string(),
        enforcer: z.string(),
        generation: z.number(),
        mode: z.enum(["audit", "deny"]),
        modeSinceUs: timeUs,
        state: z.string(),
        lastReportUs: timeUs,
        reports: z.number(),
        missingReports: z.number(),
        unrecorded: z.number().describe("attempts that no edge accounts for"),
        recorded: z.number(),
        denied: z.number().describe("packets"),
      }),
    )
    .readonly(),
  hostCount: z.number(),
  silentHosts: z.array(z.string()).readonly().describe("isolated, and not heard of in the span"),
  silentHostCount: z.number(),
  tallies: z.object({ new: edgeTally, known: edgeTally, accepted: edgeTally }).describe("of all edges"),
  edges: z.array(AuditEdge).readonly().describe("new before known before accepted, then by attempts"),
  auditedEdgeCount: z.number().describe("edges with attempts that deny would drop"),
  deniedEdgeCount: z.number().describe("edges with attempts that were dropped"),
  unusedRules: z.array(z.object({ rule: z.string(), reason: z.string() })).readonly(),
  unusedRuleCount: z.number(),
  approvals: z
    .array(
      z.object({
        entry: z.number().describe("of the audit trail"),
        receivedUs: timeUs,
        generation: z.number().optional().describe("absent when the policy cannot be read"),
        expires: z.string().optional(),
        signatures: z
          .array(z.object({ role: z.string(), keyId: z.string(), person: z.string().optional(), at: z.string() }))
          .readonly(),
        trust: z.discriminatedUnion("kind", [
          z.object({ kind: z.literal("verified") }),
          z.object({ kind: z.literal("unchecked") }),
          z.object({ kind: z.literal("refused"), reason: z.string() }),
        ]),
      }),
    )
    .readonly()
    .describe("newest first"),
  approvalCount: z.number(),
  gates: z.array(z.object({ name: z.string(), isMet: z.boolean(), value: z.string(), wanted: z.string() })).readonly(),
  reach: z
    .object({
      sources: z.number(),
      workloads: z.number().describe("more than sources where these were sampled"),
      services: z.number().describe("that answered somebody"),
      observed: z.number().describe("(source, service) cells that were really used"),
      flat: reachFigures,
      policy: reachFigures,
    })
    .optional()
    .describe("what a workload can reach without policy and with it; absent without a readable policy"),
});
export type AuditScope = z.infer<typeof AuditScope>;

export const AuditAnswer = z.object({
  revision: z.number(),
  fromUs: timeUs,
  untilUs: timeUs,
  scopes: z.array(AuditScope).readonly(),
  scopeCount: z.number(),
  gaps: SensorsAnswer.shape.gaps.describe("of sensors, that touch the span"),
  gapCount: z.number(),
  chain: z.object({
    before: z.string(),
    head: z.string().describe("last link of the audit trail that the answer rests on"),
    first: z.number().optional(),
    last: z.number().optional(),
  }),
});
export type AuditAnswer = z.infer<typeof AuditAnswer>;

/** RFC 9457; `span` points into the query that could not be read. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  span: z.object({ start: z.number(), end: z.number() }).optional(),
});
export type Problem = z.infer<typeof Problem>;
