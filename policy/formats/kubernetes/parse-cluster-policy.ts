import { EVERYTHING, type LabelSelector } from "../../../model/label-selector.js";
import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import type { Direction, ServiceMatch } from "../../decision/program.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import { formatObject, type ManifestObject } from "../manifest/manifest-objects.js";
import type { ClusterPolicy, ClusterPolicyRule, KubernetesPeer } from "./network-policy.js";
import { parseCidrNode } from "./parse-network-policy.js";
import { intervalsOfPorts, PORT_PROTOCOLS, parsePortName, parsePortProtocol, uniteServices } from "./parse-port.js";
import { parseLabelSelector } from "./parse-selector.js";

interface PodSelection {
  readonly namespaces: LabelSelector;
  readonly pods: LabelSelector;
}

function theOnly(node: ManifestNode, fields: Partial<Readonly<Record<string, ManifestNode>>>): [string, ManifestNode] {
  const given = Object.entries(fields).filter((field): field is [string, ManifestNode] => field[1] !== undefined);
  const [first, ...others] = given;
  if (first === undefined || others.length > 0) {
    throw node.error(
      `Cannot read ${node.field}: wanted exactly one field, found ${given.map(([name]) => name).join(", ") || "none"}`,
    );
  }
  return first;
}

/** A query over namespaces; until 2024 it stood one level deeper, and older manifests still have it there. */
function parseNamespaces(node: ManifestNode): LabelSelector {
  const nested = node.get("namespaceSelector");
  if (nested === undefined) return parseLabelSelector(node);
  node.knownFields(["namespaceSelector"]);
  return parseLabelSelector(nested);
}

function parsePods(node: ManifestNode): PodSelection {
  const { namespaceSelector, namespaces, podSelector } = node.knownFields([
    ...(["namespaceSelector", "podSelector"] as const),
    "namespaces", // the older name of namespaceSelector
  ]);
  const selector = namespaceSelector ?? namespaces;
  return {
    namespaces: selector === undefined ? EVERYTHING : parseNamespaces(selector),
    pods: podSelector === undefined ? EVERYTHING : parseLabelSelector(podSelector),
  };
}

function parseSelection(name: string, node: ManifestNode): PodSelection {
  return name === "pods" ? parsePods(node) : { namespaces: parseNamespaces(node), pods: EVERYTHING };
}

function parsePeer(node: ManifestNode, direction: Direction, action: ClusterPolicyRule["action"]): KubernetesPeer {
  const known =
    direction === "ingress"
      ? (["namespaces", "pods"] as const)
      : (["namespaces", "pods", "nodes", "networks", "domainNames"] as const);
  const [name, value] = theOnly(node, node.knownFields(known));
  switch (name) {
    case "networks":
      return { kind: "networks", cidrs: value.items().map(parseCidrNode) };
    case "nodes":
      return { kind: "nodes", nodes: parseLabelSelector(value) };
    case "domainNames":
      if (action !== "allow") throw value.error(`Cannot read ${value.field}: wanted it in a rule that allows`);
      return { kind: "domain-names", patterns: value.items().map((item) => item.text()) };
    default:
      return { kind: "pods", ...parseSelection(name, value) };
  }
}

function parseNumber(node: ManifestNode): { readonly first: number; readonly last: number } {
  const port = node.integer(1, 65535);
  return { first: port, last: port };
}

function parseStartEnd(node: ManifestNode, start: ManifestNode | undefined, end: ManifestNode | undefined) {
  if (start === undefined || end === undefined) throw node.error(`Cannot read ${node.field}: wanted start and end`);
  const first = start.integer(1, 65535);
  return { first, last: end.integer(first, 65535) };
}

function namedService(node: ManifestNode, protocols: readonly number[]): ServiceMatch {
  const name = parsePortName(node);
  return { intervals: [], named: protocols.map((protocol) => ({ protocol, name })) };
}

/** One item of `ports` of an AdminNetworkPolicy. */
function parseAdminPort(node: ManifestNode): ServiceMatch {
  const [kind, value] = theOnly(node, node.knownFields(["portNumber", "portRange", "namedPort"]));
  if (kind === "namedPort") return namedService(value, PORT_PROTOCOLS);
  if (kind === "portNumber") {
    const { protocol, port } = value.knownFields(["protocol", "port"]);
    if (port === undefined) throw value.error(`Cannot read ${value.field}: wanted port`);
    return { intervals: intervalsOfPorts(parsePortProtocol(protocol), [parseNumber(port)]), named: [] };
  }
  const { protocol, start, end } = value.knownFields(["protocol", "start", "end"]);
  return { intervals: intervalsOfPorts(parsePortProtocol(protocol), [parseStartEnd(value, start, end)]), named: [] };
}

/** One item of `protocols` of a ClusterNetworkPolicy. */
function parseProtocol(node: ManifestNode): ServiceMatch {
  const [kind, value] = theOnly(node, node.knownFields(["tcp", "udp", "sctp", "destinationNamedPort"]));
  if (kind === "destinationNamedPort") return namedService(value, PORT_PROTOCOLS);
  const protocol = PROTOCOL_NUMBERS[kind as "tcp" | "udp" | "sctp"];
  const { destinationPort } = value.knownFields(["destinationPort"]);
  if (destinationPort === undefined) {
    return { intervals: intervalsOfPorts(protocol, [{ first: 0, last: 65535 }]), named: [] };
  }
  const [form, port] = theOnly(destinationPort, destinationPort.knownFields(["number", "range"]));
  if (form === "number") return { intervals: intervalsOfPorts(protocol, [parseNumber(port)]), named: [] };
  const { start, end } = port.knownFields(["start", "end"]);
  return { intervals: intervalsOfPorts(protocol, [parseStartEnd(port, start, end)]), named: [] };
}

/** What the three kinds have in common, and where they differ. */
interface Dialect {
  readonly kind: ClusterPolicy["kind"];
  readonly actions: Readonly<Record<string, ClusterPolicyRule["action"]>>;
  readonly portsField: "ports" | "protocols";
  readonly parsePort: (node: ManifestNode) => ServiceMatch;
}

const ADMIN: Dialect = {
  kind: "AdminNetworkPolicy",
  actions: { Allow: "allow", Deny: "deny", Pass: "pass" },
  portsField: "ports",
  parsePort: parseAdminPort,
};
const BASELINE: Dialect = { ...ADMIN, kind: "BaselineAdminNetworkPolicy", actions: { Allow: "allow", Deny: "deny" } };
const CLUSTER: Dialect = {
  kind: "ClusterNetworkPolicy",
  actions: { Accept: "allow", Deny: "deny", Pass: "pass" },
  portsField: "protocols",
  parsePort: parseProtocol,
};

function parseRule(node: ManifestNode, index: number, direction: Direction, dialect: Dialect): ClusterPolicyRule {
  const peersField = direction === "ingress" ? "from" : "to";
  const fields = node.knownFields(["name", "action", peersField, dialect.portsField]);
  if (fields.action === undefined) throw node.error(`Cannot read ${node.field}: wanted action`);
  const action = dialect.actions[fields.action.choice(Object.keys(dialect.actions))]!;
  const items = fields[peersField]?.items() ?? [];
  // Unlike in a NetworkPolicy, no peers do not mean everybody: the API server refuses the rule.
  if (items.length === 0) throw node.error(`Cannot read ${node.field}: wanted at least one peer in ${peersField}`);
  const ports = fields[dialect.portsField]?.items().map(dialect.parsePort) ?? [];
  return {
    name: fields.name?.text() ?? `${direction}[${index}]`,
    action,
    peers: items.map((item) => parsePeer(item, direction, action)),
    services: ports.length === 0 ? undefined : uniteServices(ports),
  };
}

function parseSpec(object: ManifestObject, dialect: Dialect, extra: readonly ("priority" | "tier")[]): ClusterPolicy {
  object.node.knownFields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = object.node.get("spec");
  if (spec === undefined) throw object.node.error(`Cannot read ${formatObject(object)}: wanted spec`);
  const fields = spec.knownFields(["subject", "ingress", "egress", ...extra]);
  const wanted = (name: "subject" | "priority" | "tier"): ManifestNode => {
    const field = fields[name];
    if (field === undefined) throw spec.error(`Cannot read ${formatObject(object)}: wanted spec.${name}`);
    return field;
  };
  const subject = wanted("subject");
  const priority = extra.includes("priority") ? wanted("priority").integer(0, 1000) : 0;
  const tier = extra.includes("tier") ? wanted("tier").choice(["Admin", "Baseline"]) : undefined;
  const [selection, selector] = theOnly(subject, subject.knownFields(["namespaces", "pods"]));
  const rules = (direction: Direction) =>
    (fields[direction]?.items() ?? []).map((item, i) => parseRule(item, i, direction, dialect));
  const isBaseline = dialect.kind === "BaselineAdminNetworkPolicy" || tier === "Baseline";
  return {
    kind: dialect.kind,
    name: object.name,
    tier: isBaseline ? "baseline" : "admin",
    priority,
    ...parseSelection(selection, selector),
    ingress: rules("ingress"),
    egress: rules("egress"),
  };
}

/** `policy.networking.k8s.io/v1alpha1` AdminNetworkPolicy. */
export function parseAdminNetworkPolicy(object: ManifestObject): ClusterPolicy {
  return parseSpec(object, ADMIN, ["priority"]);
}

/** `policy.networking.k8s.io/v1alpha1` BaselineAdminNetworkPolicy: one to a cluster, named `default`. */
export function parseBaselineAdminNetworkPolicy(object: ManifestObject): ClusterPolicy {
  if (object.name !== "default") {
    throw object.node.error(`Cannot read BaselineAdminNetworkPolicy "${object.name}": wanted the name default`);
  }
  return parseSpec(object, BASELINE, []);
}

/** `policy.networking.k8s.io/v1alpha2` ClusterNetworkPolicy. */
export function parseClusterNetworkPolicy(object: ManifestObject): ClusterPolicy {
  return parseSpec(object, CLUSTER, ["priority", "tier"]);
}
