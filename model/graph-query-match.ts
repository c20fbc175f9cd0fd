import type { GraphEdge, GraphNode } from "./graph.js";
import { type GraphQuery, labelFacet, type QueryTerm, queryNumber, queryPortSpan } from "./graph-query.js";

/** An edge together with both of its ends, which is what a query looks at. */
export interface EdgeSubject {
  readonly edge: GraphEdge;
  readonly client: GraphNode;
  readonly server: GraphNode;
}

export type EdgePredicate = (subject: EdgeSubject) => boolean;

const APP_KEYS = ["app.kubernetes.io/name", "app", "k8s-app"];

/** The app that a node belongs to by the usual label keys, or `undefined`. */
export function appOf(node: GraphNode): string | undefined {
  for (const key of APP_KEYS) if (Object.hasOwn(node.labels, key)) return node.labels[key];
  return undefined;
}

/** The spellings under which a node may be asked for: id, id without its kind, label, and the name alone. */
export function nodeNames(node: GraphNode): string[] {
  const bare = node.id.slice(node.id.indexOf(":") + 1);
  return [node.id, bare, node.label, bare.slice(bare.lastIndexOf("/") + 1)];
}

function present(...values: readonly (string | undefined)[]): string[] {
  return values.filter((value) => value !== undefined);
}

type Texts = (subject: EdgeSubject) => readonly string[];
type Amount = (subject: EdgeSubject) => number;

const TEXTS: Readonly<Record<string, Texts>> = {
  ns: ({ client, server }) => present(client.namespace, server.namespace),
  src: ({ client }) => nodeNames(client),
  dst: ({ server }) => nodeNames(server),
  node: ({ client, server }) => [...nodeNames(client), ...nodeNames(server)],
  app: ({ client, server }) => present(appOf(client), appOf(server)),
  "src.ns": ({ client }) => present(client.namespace),
  "dst.ns": ({ server }) => present(server.namespace),
  "src.app": ({ client }) => present(appOf(client)),
  "dst.app": ({ server }) => present(appOf(server)),
  kind: ({ client, server }) => [client.kind, server.kind],
  "src.kind": ({ client }) => [client.kind],
  "dst.kind": ({ server }) => [server.kind],
  // In deny mode whatever no rule permits would be dropped, so that state has a name of its own.
  state: ({ edge }) => (edge.state === "allowed" ? [edge.state] : [edge.state, "would-deny"]),
  proto: ({ edge }) => [edge.protocol],
  name: ({ edge }) => edge.names,
  rule: ({ edge }) => edge.rules,
  observer: ({ edge }) => edge.observers,
};

const AMOUNTS: Readonly<Record<string, Amount>> = {
  port: ({ edge }) => edge.port,
  bytes: ({ edge }) => edge.clientBytes + edge.serverBytes,
  packets: ({ edge }) => edge.clientPackets + edge.serverPackets,
  flows: ({ edge }) => edge.flows.answered + edge.flows.refused + edge.flows.unanswered + edge.flows.midstream,
  failed: ({ edge }) => edge.flows.refused + edge.flows.unanswered,
  windows: ({ edge }) => edge.windows,
  first: ({ edge }) => edge.firstSeenUs,
  last: ({ edge }) => edge.lastSeenUs,
};

/** The texts that a text facet reads from an edge, also for completion. */
export function facetTexts(facet: string): Texts {
  const label = labelFacet(facet);
  if (label === undefined) return TEXTS[facet] ?? (() => []);
  const { end, key } = label;
  return ({ client, server }) => [
    ...(end !== "dst" && Object.hasOwn(client.labels, key) ? [client.labels[key] as string] : []),
    ...(end !== "src" && Object.hasOwn(server.labels, key) ? [server.labels[key] as string] : []),
  ];
}

function compileText({ facet, operator, values }: QueryTerm): EdgePredicate {
  const texts = facetTexts(facet);
  const wanted = values.map((value) => value.toLowerCase());
  const holds: EdgePredicate = operator.endsWith("~")
    ? (subject) => texts(subject).some((text) => wanted.some((part) => text.toLowerCase().includes(part)))
    : (subject) => texts(subject).some((text) => wanted.includes(text.toLowerCase()));
  return operator.startsWith("!") ? (subject) => !holds(subject) : holds;
}

function compileAmount({ facet, operator, values }: QueryTerm): EdgePredicate {
  const amount = AMOUNTS[facet] as Amount;
  const isTime = facet === "first" || facet === "last";
  const spans = values.map((value): readonly [number, number] => {
    if (isTime) return [Date.parse(value) * 1000, Date.parse(value) * 1000];
    const number = queryNumber(value);
    return number === undefined ? (queryPortSpan(value) as readonly [number, number]) : [number, number];
  });
  const compare = (test: (amount: number, first: number, last: number) => boolean): EdgePredicate => {
    return (subject) => {
      const value = amount(subject);
      return spans.some(([first, last]) => test(value, first, last));
    };
  };
  switch (operator) {
    case "=":
      return compare((value, first, last) => value >= first && value <= last);
    case "!=":
      return (subject) => spans.every(([first, last]) => amount(subject) < first || amount(subject) > last);
    case ">":
      return compare((value, first) => value > first);
    case ">=":
      return compare((value, first) => value >= first);
    case "<":
      return compare((value, first) => value < first);
    case "<=":
      return compare((value, first) => value <= first);
    case "~":
    case "!~":
      throw new TypeError(`Cannot match "${facet}" with "${operator}": wanted a comparison of numbers`);
  }
}

function compileFreeText(text: string): EdgePredicate {
  const wanted = text.toLowerCase();
  return ({ edge, client, server }) =>
    [client.id, client.label, server.id, server.label, `${edge.protocol}/${edge.port}`, ...edge.names].some((field) =>
      field.toLowerCase().includes(wanted),
    );
}

/** The query as a function, so that its terms are prepared once and not per edge. Text is compared without case. */
export function compileGraphQuery(query: GraphQuery): EdgePredicate {
  switch (query.kind) {
    case "all":
      return () => true;
    case "and": {
      const parts = query.parts.map(compileGraphQuery);
      return (subject) => parts.every((holds) => holds(subject));
    }
    case "or": {
      const parts = query.parts.map(compileGraphQuery);
      return (subject) => parts.some((holds) => holds(subject));
    }
    case "not": {
      const holds = compileGraphQuery(query.part);
      return (subject) => !holds(subject);
    }
    case "text":
      return compileFreeText(query.text);
    case "term":
      return Object.hasOwn(AMOUNTS, query.facet) ? compileAmount(query) : compileText(query);
  }
}
