import type { Graph } from "../../model/graph.js";
import type { Proposal } from "../proposal.js";
import { html, type Markup } from "./markup.js";

/** More than this on one page is a hairball; the explorer draws those. */
const MOST_NODES = 40;
const WIDTH = 1180;
const BOX = { width: 180, height: 30, gap: 16 } as const;
const LABEL_LENGTH = 26;
const COLUMNS = 5;

interface Link {
  readonly from: string;
  readonly to: string;
  readonly services: readonly string[];
}

/** Accepted conversations between roles and groups, without those of a role with itself. */
function linksOf(graph: Graph, proposal: Proposal): Link[] {
  const roleOf = new Map<string, string>(
    proposal.roles.flatMap(({ name, members }) => members.map((member) => [`workload:${member}`, name] as const)),
  );
  const nameOf = (node: string) => roleOf.get(node) ?? node.replace(/^[a-z]+:/, "");
  const services = new Map<string, { from: string; to: string; services: Set<string> }>();
  for (const edge of graph.edges) {
    if (edge.state !== "allowed") continue;
    const [from, to] = [nameOf(edge.client), nameOf(edge.server)];
    if (from === to) continue;
    const key = JSON.stringify([from, to]);
    const link = services.get(key) ?? { from, to, services: new Set<string>() };
    link.services.add(edge.protocol === "tcp" ? String(edge.port) : `${edge.protocol}/${edge.port}`);
    services.set(key, link);
  }
  return [...services.keys()].sort().map((key) => {
    const link = services.get(key) as NonNullable<ReturnType<typeof services.get>>;
    return { ...link, services: [...link.services].sort() };
  });
}

/** Roles that talk to more than half of all others, such as resolvers and scrapers: their lines would hide the rest. */
function ubiquitous(nodes: readonly string[], links: readonly Link[]): Set<string> {
  if (nodes.length < 8) return new Set();
  const partners = (node: string) =>
    new Set(links.flatMap(({ from, to }) => (from === node ? [to] : to === node ? [from] : []))).size;
  return new Set(nodes.filter((node) => partners(node) > (nodes.length - 1) / 2));
}

/** Column of each node: one after the last of its clients, where following the links runs in no circle. */
function columnsOf(nodes: readonly string[], links: readonly Link[]): Map<string, number> {
  const column = new Map(nodes.map((node) => [node, 0]));
  for (let round = 0; round < Math.min(nodes.length, COLUMNS); round++) {
    for (const { from, to } of links) {
      const next = (column.get(from) as number) + 1;
      const isBack = links.some((back) => back.from === to && back.to === from);
      if (!isBack && next > (column.get(to) as number) && next < COLUMNS) column.set(to, next);
    }
  }
  return column;
}

/** Rows within the columns: each node at the mean height of those it is linked to, a few rounds of it. */
function rowsOf(nodes: readonly string[], links: readonly Link[], column: ReadonlyMap<string, number>): string[][] {
  const used = [...new Set(column.values())].sort((a, b) => a - b);
  const rows = used.map((value) => nodes.filter((node) => column.get(node) === value));
  const height = new Map<string, number>();
  const settle = () => {
    for (const row of rows) row.forEach((node, i) => height.set(node, (i + 0.5) / row.length));
  };
  settle();
  for (let round = 0; round < 4; round++) {
    for (const row of round % 2 === 0 ? rows : [...rows].reverse()) {
      const wanted = new Map(
        row.map((node) => {
          const near = links.flatMap(({ from, to }) => (from === node ? [to] : to === node ? [from] : []));
          const sum = near.reduce((total, each) => total + (height.get(each) as number), 0);
          return [node, near.length === 0 ? (height.get(node) as number) : sum / near.length] as const;
        }),
      );
      row.sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number) || (a < b ? -1 : 1));
      settle();
    }
  }
  return rows;
}

const short = (text: string) => (text.length > LABEL_LENGTH ? `${text.slice(0, LABEL_LENGTH - 1)}…` : text);

/**
 * Roles left to right from those who ask to those who answer, as an SVG that needs no script. The table beside it says the
 * same in words. Empty with no link or too many nodes.
 */
export function roleMap(graph: Graph, proposal: Proposal): Markup | undefined {
  const all = linksOf(graph, proposal);
  const everybody = [...new Set(all.flatMap(({ from, to }) => [from, to]))].sort();
  const hidden = ubiquitous(everybody, all);
  const links = all.filter(({ from, to }) => !hidden.has(from) && !hidden.has(to));
  const nodes = [...new Set(links.flatMap(({ from, to }) => [from, to]))].sort();
  if (nodes.length === 0 || nodes.length > MOST_NODES) return undefined;
  const rows = rowsOf(nodes, links, columnsOf(nodes, links));
  const tallest = Math.max(...rows.map((row) => row.length));
  const height = tallest * (BOX.height + BOX.gap) + 2 * BOX.gap;
  const stride = rows.length === 1 ? 0 : (WIDTH - BOX.width - 2 * BOX.gap) / (rows.length - 1);
  const place = new Map<string, { x: number; y: number }>();
  rows.forEach((row, i) => {
    const top = (height - row.length * (BOX.height + BOX.gap) + BOX.gap) / 2;
    row.forEach((node, j) => {
      place.set(node, { x: Math.round(BOX.gap + i * stride), y: Math.round(top + j * (BOX.height + BOX.gap)) });
    });
  });
  const at = (node: string) => place.get(node) as { x: number; y: number };
  const middle = BOX.height / 2;
  const paths = links.map(({ from, to, services }) => {
    const [a, b] = [at(from), at(to)];
    const isForward = b.x > a.x;
    const [x1, x2] = isForward ? [a.x + BOX.width, b.x] : [a.x, b.x + BOX.width];
    const bend = Math.max(40, Math.abs(x2 - x1) / 2) * (isForward ? 1 : -1);
    const d = `M${x1} ${a.y + middle}C${x1 + bend} ${a.y + middle} ${x2 - bend} ${b.y + middle} ${x2} ${b.y + middle}`;
    const title = `${from} to ${to}: ${services.join(", ")}`;
    return html`<path class="link" d="${d}" marker-end="url(#arrow)"><title>${title}</title></path>`;
  });
  const boxes = nodes.map((node) => {
    const { x, y } = at(node);
    return html`<g><title>${node}</title><rect class="node" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/><text x="${x + 8}" y="${y + 19}">${short(node)}</text></g>`;
  });
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Roles from left, who asks, to right, who answers; the table of conversations says the same in words.">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>
${paths}
${boxes}
</svg>
${hidden.size === 0 ? [] : html`<figcaption class="soft">Left out, because they talk to more than half of all roles: ${[...hidden].join(", ")}.</figcaption>`}</figure>`;
}
