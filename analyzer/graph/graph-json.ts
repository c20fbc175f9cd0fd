import { z } from "zod";
import { GRAPH_VERSION, type Graph } from "../../model/graph.js";

const count = z.number().nonnegative();
const texts = z.array(z.string()).readonly();
const level = z.enum(["workload", "app", "namespace"]);

/** The shape of graph.json; published as docs/schemas/graph.schema.json. */
const graphSchema = z.strictObject({
  version: z.literal(GRAPH_VERSION, { error: `wanted ${GRAPH_VERSION}, the only version of this format` }),
  level,
  fromUs: count.describe("time of the first packet, microseconds since the Unix epoch; 0 without any"),
  untilUs: count.describe("time of the last packet"),
  nodes: z
    .array(
      z.strictObject({
        id: z.string().describe('"workload:shop/web-1", "app:shop/web", "namespace:shop" or "group:external"'),
        kind: z.enum(["workload", "app", "namespace", "group"]),
        label: z.string(),
        namespace: z.string().exactOptional(),
        labels: z.record(z.string(), z.string()).readonly().describe("labels that all members share"),
        members: z.array(z.string()).max(200).readonly().describe("workload ids, or the addresses of a group"),
        memberCount: count,
      }),
    )
    .readonly()
    .describe("sorted by id"),
  edges: z
    .array(
      z.strictObject({
        id: z.string().describe("client>server/protocol/port"),
        client: z.string().describe("id of a node"),
        server: z.string().describe("id of a node"),
        protocol: z.string().describe('"tcp", "udp" ... or the IP protocol number'),
        port: count.max(65535).describe("the server's port; the type of an ICMP request"),
        flows: z.strictObject({ answered: count, refused: count, unanswered: count, midstream: count }),
        clientPackets: count,
        serverPackets: count,
        clientBytes: count.describe("IP bytes, headers included"),
        serverBytes: count,
        firstSeenUs: count,
        lastSeenUs: count,
        windows: count.describe("hours in which it was seen"),
        observers: texts,
        names: z
          .array(z.string())
          .max(50)
          .readonly()
          .describe("names of the server as the wire told them: not to be trusted"),
        state: z.enum(["allowed", "excluded", "quarantined", "undecided"]),
        reason: z.string(),
        rules: texts.describe("ids of the proposed rules that permit it"),
      }),
    )
    .readonly()
    .describe("sorted by id"),
}) satisfies z.ZodType<Graph>;

/** Text of graph.json: two-space JSON with a final newline. A graph is sorted already, so equal ones give equal bytes. */
export function graphJson(graph: Graph): string {
  return `${JSON.stringify(graph, null, 2)}\n`;
}

/**
 * Reads what `graphJson` wrote.
 * @throws {SyntaxError} One line: the first field that is wrong and what was wanted.
 */
export function parseGraphJson(text: string): Graph {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read graph: it is not JSON (${(cause as Error).message})`, { cause });
  }
  const result = graphSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "the document" : `field "${issue.path.join(".")}"`;
  throw new SyntaxError(`Cannot read graph: ${where}: ${issue?.message.replaceAll("\n", " ")}`);
}

/** JSON Schema (draft 2020-12) of graph.json, as published under docs/schemas. */
export function graphJsonSchema(): object {
  return {
    ...z.toJSONSchema(graphSchema, { target: "draft-2020-12" }),
    title: "Portolan graph.json",
    description: "Who talks to whom, version 1. Times are microseconds since the Unix epoch.",
  };
}
