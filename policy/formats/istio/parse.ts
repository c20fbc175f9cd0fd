import { formatCidr, parseCidr } from "../../../model/cidr.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import type { ManifestObject } from "../manifest/manifest-objects.js";
import type {
  AuthorizationAction,
  AuthorizationPolicy,
  AuthorizationRule,
  Operation,
  Source,
  TargetReference,
  TextMatch,
} from "./authorization-policy.js";

const NO_DEMAND: TextMatch = { values: [], notValues: [] };
const ANY_SOURCE: Source = {
  principals: NO_DEMAND,
  trustDomains: NO_DEMAND,
  namespaces: NO_DEMAND,
  serviceAccounts: NO_DEMAND,
  ipBlocks: NO_DEMAND,
};

type Fields = Partial<Readonly<Record<string, ManifestNode>>>;

function textsOf(node: ManifestNode | undefined): string[] {
  return (node?.items() ?? []).map((item) => item.text());
}

function cidrsOf(node: ManifestNode | undefined): string[] {
  return (node?.items() ?? []).map((item) => item.parsed((text) => formatCidr(parseCidr(text))));
}

function portsOf(node: ManifestNode | undefined): number[] | undefined {
  const items = node?.items() ?? [];
  if (items.length === 0) return undefined;
  return items.map((item) => {
    const text = item.isText ? item.text() : String(item.integer(1, 65535));
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port < 1 || port > 65535) throw item.error(`Cannot read port "${text}": wanted 1..65535`);
    return port;
  });
}

const SOURCE_FIELDS = [
  ...["principals", "notPrincipals", "requestPrincipals", "notRequestPrincipals", "namespaces", "notNamespaces"],
  ...["ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks", "serviceAccounts", "notServiceAccounts"],
  ...["trustDomains", "notTrustDomains"],
];
const OPERATION_FIELDS = [...["hosts", "notHosts", "ports", "notPorts", "methods", "notMethods", "paths", "notPaths"]];

/** Fields that ask about more than the connection: what they say narrows the rule. */
const REQUEST_FIELDS = new Set([
  ...["requestPrincipals", "notRequestPrincipals", "remoteIpBlocks", "notRemoteIpBlocks"],
  ...["hosts", "notHosts", "methods", "notMethods", "paths", "notPaths"],
]);

function requestFields(fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, node]) =>
    REQUEST_FIELDS.has(name) && (node?.items().length ?? 0) > 0 ? [name] : [],
  );
}

/** A service account alone is one of the policy's namespace. */
function accountsOf(node: ManifestNode | undefined, namespace: string): string[] {
  return textsOf(node).map((name) => (name.includes("/") ? name : `${namespace}/${name}`));
}

function parseSource(fields: Fields, namespace: string): Source {
  return {
    principals: { values: textsOf(fields.principals), notValues: textsOf(fields.notPrincipals) },
    trustDomains: { values: textsOf(fields.trustDomains), notValues: textsOf(fields.notTrustDomains) },
    namespaces: { values: textsOf(fields.namespaces), notValues: textsOf(fields.notNamespaces) },
    serviceAccounts: {
      values: accountsOf(fields.serviceAccounts, namespace),
      notValues: accountsOf(fields.notServiceAccounts, namespace),
    },
    ipBlocks: { values: cidrsOf(fields.ipBlocks), notValues: cidrsOf(fields.notIpBlocks) },
  };
}

/** What the conditions of a rule come to. */
interface Conditions {
  readonly sources: Source[];
  readonly ports: Operation[];
  readonly serverAddresses: TextMatch[];
  readonly narrowedBy: string[];
}

function parseConditions(nodes: readonly ManifestNode[]): Conditions {
  const result: Conditions = { sources: [], ports: [], serverAddresses: [], narrowedBy: [] };
  for (const node of nodes) {
    const { key, values, notValues } = node.knownFields(["key", "values", "notValues"]);
    if (key === undefined) throw node.error(`Cannot read ${node.field}: wanted key`);
    const texts = () => ({ values: textsOf(values), notValues: textsOf(notValues) });
    const cidrs = () => ({ values: cidrsOf(values), notValues: cidrsOf(notValues) });
    switch (key.text()) {
      case "source.namespace":
        result.sources.push({ ...ANY_SOURCE, namespaces: texts() });
        break;
      case "source.principal":
        result.sources.push({ ...ANY_SOURCE, principals: texts() });
        break;
      case "source.serviceAccount":
        result.sources.push({ ...ANY_SOURCE, serviceAccounts: texts() });
        break;
      case "source.ip":
        result.sources.push({ ...ANY_SOURCE, ipBlocks: cidrs() });
        break;
      case "destination.ip":
        result.serverAddresses.push(cidrs());
        break;
      case "destination.port":
        result.ports.push({ ports: portsOf(values), notPorts: portsOf(notValues) ?? [] });
        break;
      default:
        result.narrowedBy.push(key.text());
    }
  }
  return result;
}

function parseRule(node: ManifestNode, index: number, namespace: string): AuthorizationRule {
  const { from, to, when } = node.knownFields(["from", "to", "when"]);
  const narrowedBy = new Set<string>();
  const sources = from?.items().map((item) => {
    const fields: Fields = item.knownFields(["source"]).source?.knownFields(SOURCE_FIELDS) ?? {};
    for (const name of requestFields(fields)) narrowedBy.add(name);
    return parseSource(fields, namespace);
  });
  const operations = to?.items().map((item): Operation => {
    const fields: Fields = item.knownFields(["operation"]).operation?.knownFields(OPERATION_FIELDS) ?? {};
    for (const name of requestFields(fields)) narrowedBy.add(name);
    return { ports: portsOf(fields.ports), notPorts: portsOf(fields.notPorts) ?? [] };
  });
  const conditions = parseConditions(when?.items() ?? []);
  for (const name of conditions.narrowedBy) narrowedBy.add(name);
  return {
    name: `rules[${index}]`,
    sources: sources === undefined || sources.length === 0 ? undefined : sources,
    operations: operations === undefined || operations.length === 0 ? undefined : operations,
    conditions: conditions.sources,
    conditionPorts: conditions.ports,
    serverAddresses: conditions.serverAddresses,
    narrowedBy: [...narrowedBy].sort(),
  };
}

function parseTarget(node: ManifestNode): TargetReference {
  const { kind, name } = node.knownFields(["group", "kind", "name", "namespace"]);
  if (kind === undefined || name === undefined) throw node.error(`Cannot read ${node.field}: wanted kind and name`);
  return { kind: kind.text(), name: name.text() };
}

/** Whether the annotation makes the policy a dry run: a truth value of Go, and on ALLOW and DENY alone. */
function isDryRun({ metadata }: ManifestObject, action: AuthorizationAction): boolean {
  const value = metadata.get("annotations")?.get("istio.io/dry-run");
  if (value === undefined) return false;
  const match = /^(?:(1|t|T|TRUE|true|True)|0|f|F|FALSE|false|False)$/.exec(value.text());
  if (match === null) throw value.error(`Cannot read ${value.field} "${value.text()}": wanted "true" or "false"`);
  if (action !== "ALLOW" && action !== "DENY") {
    throw value.error(`Cannot read ${value.field}: wanted a policy that allows or denies, this one is ${action}`);
  }
  return match[1] !== undefined;
}

/** @throws {ManifestError} For every field that Istio does not know. */
export function parseAuthorizationPolicy(object: ManifestObject): AuthorizationPolicy {
  object.node.knownFields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = object.node.get("spec");
  const fields: Fields =
    spec?.knownFields(["selector", "targetRef", "targetRefs", "rules", "action", "provider"]) ?? {};
  const namespace = object.namespace ?? "default";
  const selector: Record<string, string> = {};
  for (const [key, value] of fields.selector?.knownFields(["matchLabels"]).matchLabels?.fields() ?? []) {
    selector[key] = value.text();
  }
  const targets = [
    ...(fields.targetRef === undefined ? [] : [fields.targetRef]),
    ...(fields.targetRefs?.items() ?? []),
  ];
  if (targets.length > 0 && fields.selector !== undefined) {
    throw fields.selector.keyError('Cannot read field "spec.selector": wanted it or targetRefs, not both');
  }
  const action = fields.action === undefined ? "ALLOW" : fields.action.choice(["ALLOW", "DENY", "AUDIT", "CUSTOM"]);
  return {
    namespace,
    name: object.name,
    selector,
    targets: targets.map(parseTarget),
    action,
    rules: (fields.rules?.items() ?? []).map((item, i) => parseRule(item, i, namespace)),
    isDryRun: isDryRun(object, action),
  };
}
