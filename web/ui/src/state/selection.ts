import type { MapAnswer, Mark } from "../../../api/contract.js";

/** What is selected, as the address says it. Ids hold `>` themselves, so a link's ends are URI-encoded. */
export type Selected =
  | { readonly kind: "none" }
  | { readonly kind: "edge"; readonly id: string }
  | { readonly kind: "node"; readonly id: string }
  | { readonly kind: "island"; readonly name: string }
  | { readonly kind: "link"; readonly client: string; readonly server: string };

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // not ours: somebody wrote the address by hand
  }
}

export function parseSelected(text: string): Selected {
  const colon = text.indexOf(":");
  const rest = text.slice(colon + 1);
  switch (text.slice(0, colon)) {
    case "edge":
      return { kind: "edge", id: rest };
    case "node":
      return { kind: "node", id: rest };
    case "island":
      return { kind: "island", name: rest };
    case "link": {
      const [client, server] = rest.split(">").map(decoded);
      return client === undefined || server === undefined ? { kind: "none" } : { kind: "link", client, server };
    }
    default:
      return { kind: "none" };
  }
}

export function formatLink(client: string, server: string): string {
  return `link:${encodeURIComponent(client)}>${encodeURIComponent(server)}`;
}

/** How selecting a mark is written. */
export function formatMark(mark: Pick<Mark, "id" | "kind" | "island">): string {
  return mark.kind === "island" || mark.kind === "rest" ? `island:${mark.island}` : `node:${mark.id}`;
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

/** The condition of the query language that one end lies in an island, for each way of making islands. */
export function islandCondition(name: string, grouping: string, end: "src" | "dst"): string {
  if (grouping === "none") return "";
  if (grouping === "kind") return `${end}.kind=${quoted(name)}`;
  if (name === "outside") return `${end}.kind=group`;
  if (grouping === "namespace") return name === "no namespace" ? `!${end}.ns~""` : `${end}.ns=${quoted(name)}`;
  const key = grouping.slice("label:".length);
  return name === `no ${key}` ? `!${end}.label.${key}~"" !${end}.kind=group` : `${end}.label.${key}=${quoted(name)}`;
}

/** The same for a mark of the map; a mark's id tells whether it is a node or an island. */
export function markCondition(id: string, grouping: string, end: "src" | "dst"): string {
  const gathered = /^(?:island|rest):(.*)$/s.exec(id);
  return gathered === null ? `${end}=${quoted(id)}` : islandCondition(gathered[1] as string, grouping, end);
}

/** Both conditions together; an edge from an island to itself is one too. */
export function linkQuery(base: string, client: string, server: string, grouping: string): string {
  const parts = [
    base === "" ? "" : `(${base})`,
    markCondition(client, grouping, "src"),
    markCondition(server, grouping, "dst"),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** The ends of an edge, which its id begins with: `client>server/protocol/port`. */
export function edgeEnds(id: string): { client: string; server: string } | undefined {
  const match = /^(.*?)>(.*)\/[^/]+\/\d+$/s.exec(id);
  return match === null ? undefined : { client: match[1] as string, server: match[2] as string };
}

/** The mark that holds a node: itself, or the closed island it lies in as far as the id tells. */
export function markOfNode(map: MapAnswer, nodeId: string): Mark | undefined {
  const own = map.marks.find((mark) => mark.id === nodeId);
  if (own !== undefined) return own;
  const namespace = /^[a-z]+:([^/]+)/.exec(nodeId)?.[1];
  return map.marks.find((mark) => mark.kind === "island" && mark.island === namespace);
}
