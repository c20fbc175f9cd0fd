import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ExplorerSource } from "../../analyzer/explorer.js";
import { csvText } from "../../model/csv.js";
import { HEARTBEAT_EVERY_MS } from "../../model/sensor-heartbeat.js";
import { attachment, type BundleRenderer, bundleFileType } from "./bundle-files.js";
import * as contract from "./contract.js";
import { csvRows, type ExplorerViews, labelKeysOf, totalsOf } from "./explorer-views.js";
import { HttpProblem } from "./problem.js";
import { sensorRows } from "./sensor-rows.js";
import { tarOf } from "./tar.js";

export interface RouteParts {
  readonly source: ExplorerSource;
  readonly views: ExplorerViews;
  readonly bundles: BundleRenderer;
  readonly targets: readonly string[];
  readonly version: string;
  readonly nowUs?: () => number; // the clock, default the system's
}

const EDGES_PER_RULE = 200;
const LABEL_KEYS_SHOWN = 40;
const SENSORS_LISTED = 2_000;
/** Three heartbeats that did not come, and half the way to the fourth. */
const SILENT_AFTER_US = 3.5 * HEARTBEAT_EVERY_MS * 1000;
const GAPS_LISTED = 500; // the latest of each sensor come last

function spanOf(params: { from?: number | undefined; until?: number | undefined }) {
  return {
    ...(params.from === undefined ? {} : { fromUs: params.from }),
    ...(params.until === undefined ? {} : { untilUs: params.until }),
  };
}

const failures = { 400: contract.Problem, 404: contract.Problem };

/** The questions about traffic: figures, map, matrix, table, one edge, time, completion. */
export function exploreRoutes(instance: FastifyInstance, parts: RouteParts): void {
  const { source, views, version, nowUs = () => Date.now() * 1000 } = parts;
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get("/api/overview", {
    schema: { summary: "Figures of everything stored", response: { 200: contract.OverviewAnswer } },
    handler: async () => {
      const revision = source.revision();
      const [graph, proposal, sensors] = await Promise.all([
        views.graph("workload", {}),
        source.proposal(),
        source.sensors(),
      ]);
      const losses = sensors.map(({ dropped }) => dropped);
      return {
        version,
        revision,
        fromUs: graph.fromUs,
        untilUs: graph.untilUs,
        nodes: graph.nodes.length,
        edges: graph.edges.length,
        ...totalsOf(graph),
        labelKeys: labelKeysOf(graph.nodes).slice(0, LABEL_KEYS_SHOWN),
        proposal: {
          state: proposal.state,
          stateReason: proposal.stateReason,
          rules: proposal.policySet.rules.length,
          exclusions: proposal.exclusions.length,
        },
        sensors: {
          count: sensors.length,
          // One sensor that cannot tell its losses makes the sum unknown; it is never taken for zero.
          dropped: losses.includes("unknown")
            ? ("unknown" as const)
            : losses.reduce<number>((sum, n) => sum + Number(n), 0),
        },
      };
    },
  });

  app.get("/api/map", {
    schema: {
      summary: "The map of a query: at most 150 marks unless all are asked for, with positions and hidden counts",
      querystring: contract.MapParams,
      response: { 200: contract.MapAnswer, ...failures },
    },
    handler: ({ query }) => views.map(query),
  });

  app.get("/api/layout", {
    schema: {
      summary: "What a page lays out itself when a map comes without positions",
      querystring: contract.LayoutParams,
      response: { 200: contract.LayoutAnswer, 400: contract.Problem },
    },
    handler: async ({ query }) => {
      const revision = source.revision();
      const { nodes, links } = await views.layoutInput(query.level, query.group);
      return { revision, nodes, links };
    },
  });

  app.get("/api/matrix", {
    schema: {
      summary: "Clients against servers, with the marks of the map",
      querystring: contract.MatrixParams,
      response: { 200: contract.MatrixAnswer, ...failures },
    },
    handler: ({ query }) => views.matrix(query),
  });

  app.get("/api/edges", {
    schema: {
      summary: "The table of a query, page by page, or all of it as CSV",
      querystring: contract.EdgesParams,
      response: { 200: z.union([contract.EdgesAnswer, z.string()]), ...failures },
    },
    handler: async ({ query }, reply) => {
      if (query.format === "json") return views.page(query);
      const { header, rows } = csvRows(await views.table(query));
      reply.header("content-disposition", attachment("portolan-edges.csv")).type("text/csv; charset=utf-8");
      return csvText(header, rows);
    },
  });

  app.get("/api/edges/:id", {
    schema: {
      summary: "One edge with its evidence: sample flows and windows",
      params: z.object({ id: z.string().max(2000) }),
      querystring: contract.EdgeParams,
      response: { 200: contract.EdgeAnswer, ...failures },
    },
    handler: async ({ params, query }) => {
      const revision = source.revision();
      const [detail, graph] = await Promise.all([
        source.edge(query.level, params.id, spanOf(query)),
        views.graph(query.level, spanOf(query)),
      ]);
      const client = graph.nodes.find(({ id }) => id === detail?.edge.client);
      const server = graph.nodes.find(({ id }) => id === detail?.edge.server);
      if (detail === undefined || client === undefined || server === undefined) {
        throw new HttpProblem(
          404,
          `Cannot find edge "${params.id}": nothing was seen under this id at this level and time`,
        );
      }
      return { revision, edge: detail.edge, client, server, samples: detail.samples, windows: detail.windows };
    },
  });

  app.get("/api/nodes/:id", {
    schema: {
      summary: "One node with its labels and members",
      params: z.object({ id: z.string().max(2000) }),
      querystring: contract.EdgeParams,
      response: { 200: contract.NodeAnswer, ...failures },
    },
    handler: async ({ params, query }) => {
      const graph = await views.graph(query.level, {});
      const node = graph.nodes.find(({ id }) => id === params.id);
      if (node === undefined) {
        throw new HttpProblem(404, `Cannot find node "${params.id}": the graph at this level has none of this id`);
      }
      return { revision: source.revision(), node };
    },
  });

  app.get("/api/timeline", {
    schema: {
      summary: "Flows over all stored time, in equal slices",
      querystring: contract.TimelineParams,
      response: { 200: contract.TimelineAnswer, 400: contract.Problem },
    },
    handler: async ({ query }) => ({ revision: source.revision(), slices: await source.timeline(query.slices) }),
  });

  app.get("/api/sensors", {
    schema: { summary: "Sensors, how they fare, and what they lost", response: { 200: contract.SensorsAnswer } },
    handler: async (_, reply) => {
      const revision = source.revision();
      const [seen, beats, { gaps }] = await Promise.all([source.sensors(), source.heartbeats(), source.proposal()]);
      const sensors = sensorRows(seen, beats);
      reply.header("cache-control", "no-store");
      return {
        revision,
        nowUs: nowUs(),
        silentAfterUs: SILENT_AFTER_US,
        sensors: sensors.slice(0, SENSORS_LISTED),
        sensorCount: sensors.length,
        gaps: gaps.slice(-GAPS_LISTED),
        gapCount: gaps.length,
      };
    },
  });

  app.get("/api/complete", {
    schema: {
      summary: "How a query may go on at the cursor",
      querystring: contract.CompleteParams,
      response: { 200: contract.CompleteAnswer, 400: contract.Problem },
    },
    handler: ({ query }) => views.complete(query.level, query.q, Math.min(query.at ?? query.q.length, query.q.length)),
  });
}

/** Rendering proves as it writes and may take a second, so each target is rendered once for each state of the data. */
function perRevision(bundles: BundleRenderer): (target: string, revision: number) => ReturnType<BundleRenderer> {
  const made = new Map<string, { revision: number; bundle: ReturnType<BundleRenderer> }>();
  return (target, revision) => {
    const known = made.get(target);
    if (known !== undefined && known.revision === revision) return known.bundle;
    const bundle = bundles(target);
    made.set(target, { revision, bundle });
    bundle.catch(() => made.delete(target));
    return bundle;
  };
}

/** The questions about what is proposed, and the files to apply. */
export function proposalRoutes(instance: FastifyInstance, { source, views, bundles, targets }: RouteParts): void {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const render = perRevision(bundles);

  app.get("/api/proposal", {
    schema: { summary: "The proposal under review", response: { 200: contract.ProposalAnswer } },
    handler: async () => ({ revision: source.revision(), targets, proposal: await source.proposal() }),
  });

  app.get("/api/proposal/rules/:id", {
    schema: {
      summary: "One rule with the edges that it permits",
      params: z.object({ id: z.string().max(500) }),
      response: { 200: contract.RuleAnswer, 404: contract.Problem },
    },
    handler: async ({ params }) => {
      const revision = source.revision();
      const [proposal, graph] = await Promise.all([source.proposal(), views.graph("workload", {})]);
      const rule = proposal.policySet.rules.find(({ id }) => id === params.id);
      if (rule === undefined)
        throw new HttpProblem(404, `Cannot find rule "${params.id}": the proposal has none of this id`);
      const edges = graph.edges.filter((edge) => edge.rules.includes(rule.id));
      return { revision, rule, edges: edges.slice(0, EDGES_PER_RULE), edgeCount: edges.length };
    },
  });

  app.get("/api/bundles/:target", {
    schema: {
      summary: "The files to apply: as JSON to read, one file, or a tar archive",
      params: z.object({ target: z.string().max(100) }),
      querystring: z.object({ format: z.enum(["json", "tar"]).default("json"), file: z.string().max(500).optional() }),
      response: { 200: z.union([contract.BundleAnswer, z.string(), z.instanceof(Buffer)]), ...failures },
    },
    handler: async ({ params: { target }, query }, reply) => {
      if (!targets.includes(target)) {
        throw new HttpProblem(404, `Cannot render target "${target}": wanted ${targets.join(" or ")}`);
      }
      const revision = source.revision();
      const { files, losses } = await render(target, revision);
      if (query.file !== undefined) {
        const file = files.find(({ path }) => path === query.file);
        if (file === undefined) {
          throw new HttpProblem(404, `Cannot find "${query.file}" in the ${target} bundle: wanted one of its files`);
        }
        const name = file.path.slice(file.path.lastIndexOf("/") + 1);
        reply.header("content-disposition", attachment(name)).type(bundleFileType(file.path));
        return file.text;
      }
      if (query.format === "tar") {
        reply.header("content-disposition", attachment(`portolan-${target}.tar`)).type("application/x-tar");
        return tarOf(files);
      }
      const listed = files.map(({ path, text }) => ({ path, bytes: Buffer.byteLength(text), text }));
      return {
        revision,
        target,
        files: listed,
        losses: losses.map(({ ruleId, kind, text }) => ({ ruleId, kind, text })),
      };
    },
  });
}
