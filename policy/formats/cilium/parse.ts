import { cidrCovers, formatCidr, parseCidr } from "../../../model/cidr.js";
import { type LabelRequirement, type LabelSelector, matchesLabels } from "../../../model/label-selector.js";
import { gatherFaults } from "../manifest/manifest-error.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import { formatObject, type ManifestObject } from "../manifest/manifest-objects.js";
import {
  CILIUM_ENTITIES,
  type CiliumCidr,
  type CiliumPeers,
  type CiliumPolicy,
  type CiliumRule,
  type EndpointSelector,
} from "./cilium-policy.js";
import { parseIcmps, parseToPorts } from "./parse-services.js";
import { type ReferredService, referredServicesOf } from "./referred-services.js";

const KINDS = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"];
const API_VERSION = "cilium.io/v2";

/** What parts of a policy refer to: the CIDR groups and the Services among the manifests. */
interface Surroundings {
  readonly namespace: string | undefined; // of the policy
  readonly cidrGroups: ReadonlyMap<string, readonly string[]>;
  readonly services: readonly ReferredService[];
}

/** A selector whose keys may have a source, `k8s:app`, and whose values Kubernetes does not check. */
function parseLabels(node: ManifestNode): LabelSelector {
  const { matchLabels, matchExpressions } = node.knownFields(["matchLabels", "matchExpressions"]);
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of matchLabels?.fields() ?? []) {
    requirements.push({ key, operator: "In", values: [value.text()] });
  }
  for (const item of matchExpressions?.items() ?? []) {
    const { key, operator, values } = item.knownFields(["key", "operator", "values"]);
    if (key === undefined || operator === undefined)
      throw item.error(`Cannot read ${item.field}: wanted key and operator`);
    const kind = operator.choice(["In", "NotIn", "Exists", "DoesNotExist"]);
    const listed = values?.items().map((value) => value.text()) ?? [];
    if (kind === "In" || kind === "NotIn") {
      if (listed.length === 0) throw item.error(`Cannot read ${item.field}: wanted values for ${kind}`);
      requirements.push({ key: key.text(), operator: kind, values: listed });
    } else {
      if (listed.length > 0) throw item.error(`Cannot read ${item.field}: wanted no values for ${kind}`);
      requirements.push({ key: key.text(), operator: kind });
    }
  }
  return { requirements };
}

const NAMESPACE_KEYS = /^((k8s|any):)?io\.(kubernetes\.pod\.namespace|cilium\.k8s\.namespace\.labels\.)/;

/** In a policy of a namespace a selector means that namespace unless it speaks of namespaces itself. */
function parseEndpointSelector(node: ManifestNode, namespace: string | undefined): EndpointSelector {
  const labels = parseLabels(node);
  const isSaid = labels.requirements.some(({ key }) => NAMESPACE_KEYS.test(key));
  return { labels, namespace: isSaid ? undefined : namespace };
}

function cidrText(node: ManifestNode): string {
  return node.parsed((text) => formatCidr(parseCidr(text)));
}

function parseCidrRule(node: ManifestNode, { cidrGroups }: Surroundings): CiliumCidr {
  const { cidr, cidrGroupRef, except } = node.knownFields(["cidr", "cidrGroupRef", "except"]);
  const holes = except?.items().map(cidrText) ?? [];
  if ((cidr === undefined) === (cidrGroupRef === undefined)) {
    throw node.error(`Cannot read ${node.field}: wanted either cidr or cidrGroupRef`);
  }
  if (cidr === undefined) {
    const name = cidrGroupRef!.text();
    const cidrs = cidrGroups.get(name);
    if (cidrs === undefined) throw cidrGroupRef!.error(`Cannot resolve CiliumCIDRGroup "${name}": wanted its manifest`);
    return { cidrs, except: holes };
  }
  const outer = cidrText(cidr);
  for (const [i, hole] of holes.entries()) {
    if (!cidrCovers(parseCidr(outer), parseCidr(hole))) {
      throw except!.items()[i]!.error(`Cannot read exception "${hole}": wanted a part of ${outer}`);
    }
  }
  return { cidrs: [outer], except: holes };
}

/** Services by name or label, as the pods that they select and the addresses that stand in for pods. */
function parseToServices(node: ManifestNode, { services }: Surroundings): CiliumPeers {
  const found = node.items().flatMap((item) => {
    const { k8sService, k8sServiceSelector } = item.knownFields(["k8sService", "k8sServiceSelector"]);
    if ((k8sService === undefined) === (k8sServiceSelector === undefined)) {
      throw item.error(`Cannot read ${item.field}: wanted either k8sService or k8sServiceSelector`);
    }
    const { namespace } =
      k8sService?.knownFields(["serviceName", "namespace"]) ??
      k8sServiceSelector!.knownFields(["selector", "namespace"]);
    // Without a namespace Services of all namespaces are meant.
    const placed = services.filter((service) => namespace === undefined || service.namespace === namespace.text());
    if (k8sService !== undefined) return placed.filter(({ name }) => name === k8sService.get("serviceName")?.text());
    const selector = k8sServiceSelector!.get("selector");
    if (selector === undefined) throw k8sServiceSelector!.error(`Cannot read ${item.field}: wanted a selector`);
    const { requirements } = parseLabels(selector);
    const bare = requirements.map((each) => ({ ...each, key: each.key.replace(/^(k8s|any):/, "") }));
    return placed.filter(({ labels }) => matchesLabels({ requirements: bare }, labels));
  });
  return {
    kind: "services",
    selectors: found.flatMap(({ selector }) => selector ?? []),
    addresses: [...new Set(found.flatMap(({ addresses }) => addresses))].sort(),
  };
}

function parseName(node: ManifestNode): string {
  const { matchName, matchPattern } = node.knownFields(["matchName", "matchPattern"]);
  const name = matchName ?? matchPattern;
  if (name === undefined || (matchName !== undefined && matchPattern !== undefined)) {
    throw node.error(`Cannot read ${node.field}: wanted either matchName or matchPattern`);
  }
  const text = name.text();
  if (!(matchName === undefined ? /^[-a-zA-Z0-9_.*]+$/ : /^[-a-zA-Z0-9_.]+$/).test(text)) {
    throw name.error(`Cannot read name "${text}": wanted letters, digits, "-", "_" and "."`);
  }
  return text;
}

const SHARED_FIELDS = ["toPorts", "icmps", "authentication"] as const;
const INGRESS_PEERS = ["fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities", "fromNodes"] as const;
const EGRESS_PEERS = ["toEndpoints", "toCIDR", "toCIDRSet", "toEntities", "toNodes", "toServices", "toFQDNs"] as const;
type PeerField = (typeof INGRESS_PEERS)[number] | (typeof EGRESS_PEERS)[number];

function parsePeers(field: PeerField, node: ManifestNode, around: Surroundings): CiliumPeers {
  const items = node.items();
  if (items.length === 0) return { kind: "nobody" };
  switch (field) {
    case "fromEndpoints":
    case "toEndpoints":
      return { kind: "endpoints", selectors: items.map((item) => parseEndpointSelector(item, around.namespace)) };
    case "fromCIDR":
    case "toCIDR":
      return { kind: "cidrs", cidrs: items.map((item) => ({ cidrs: [cidrText(item)], except: [] })) };
    case "fromCIDRSet":
    case "toCIDRSet":
      return { kind: "cidrs", cidrs: items.map((item) => parseCidrRule(item, around)) };
    case "fromEntities":
    case "toEntities":
      return { kind: "entities", entities: items.map((item) => item.choice(CILIUM_ENTITIES)) };
    case "fromNodes":
    case "toNodes":
      return { kind: "nodes", selectors: items.map(parseLabels) };
    case "toServices":
      return parseToServices(node, around);
    case "toFQDNs":
      return { kind: "names", patterns: items.map(parseName) };
  }
}

function parseRule(
  node: ManifestNode,
  section: "ingress" | "ingressDeny" | "egress" | "egressDeny",
  at: number,
  around: Surroundings,
): CiliumRule {
  const peerFields: readonly PeerField[] = section.startsWith("ingress") ? INGRESS_PEERS : EGRESS_PEERS;
  const fields = node.knownFields([...peerFields, ...SHARED_FIELDS]);
  const named = peerFields.filter((field) => fields[field] !== undefined);
  if (named.length > 1) throw node.error(`Cannot read ${node.field}: wanted one of ${named.join(" and ")}, not both`);
  const { toPorts, icmps, authentication } = fields;
  if (toPorts !== undefined && icmps !== undefined) {
    throw node.error(`Cannot read ${node.field}: wanted toPorts or icmps, not both`);
  }
  const narrowedBy = authentication === undefined ? [] : ["mutual authentication"];
  const [field] = named;
  const isSilent = field === undefined && toPorts === undefined && icmps === undefined;
  const peers: CiliumPeers = isSilent
    ? { kind: "nobody" }
    : field === undefined
      ? { kind: "everybody" }
      : parsePeers(field, fields[field]!, around);
  const services =
    icmps !== undefined
      ? parseIcmps(icmps)
      : toPorts === undefined
        ? undefined
        : parseToPorts(toPorts, (what) => narrowedBy.push(what));
  return {
    name: `${section}[${at}]`,
    action: section.endsWith("Deny") ? "deny" : "allow",
    peers,
    services,
    narrowedBy: [...new Set(narrowedBy)].sort(),
  };
}

const SECTIONS = ["ingress", "ingressDeny", "egress", "egressDeny"] as const;

function parseSpec(object: ManifestObject, spec: ManifestNode, around: Surroundings): CiliumPolicy {
  const fields = spec.knownFields([
    ...SECTIONS,
    ...(["endpointSelector", "nodeSelector", "enableDefaultDeny", "description", "labels", "log"] as const),
  ]);
  const { endpointSelector, nodeSelector } = fields;
  if ((endpointSelector === undefined) === (nodeSelector === undefined)) {
    throw spec.error(`Cannot read ${formatObject(object)}: wanted either endpointSelector or nodeSelector`);
  }
  if (nodeSelector !== undefined && around.namespace !== undefined) {
    throw nodeSelector.error(`Cannot read ${nodeSelector.field}: wanted a CiliumClusterwideNetworkPolicy for nodes`);
  }
  const count = (section: (typeof SECTIONS)[number]) => fields[section]?.items().length ?? 0;
  if (SECTIONS.every((section) => count(section) === 0)) {
    throw spec.error(`Cannot read ${formatObject(object)}: wanted at least one rule in ${SECTIONS.join(", ")}`);
  }
  const rules = (section: (typeof SECTIONS)[number]) =>
    fields[section]?.items().map((item, at) => parseRule(item, section, at, around)) ?? [];
  const wanted = fields.enableDefaultDeny?.knownFields(["ingress", "egress"]);
  const closes = (["ingress", "egress"] as const).filter(
    (way) => wanted?.[way]?.boolean() ?? count(way) + count(`${way}Deny`) > 0,
  );
  return {
    name: formatObject(object),
    subject:
      endpointSelector === undefined
        ? { kind: "nodes", selector: parseLabels(nodeSelector!) }
        : { kind: "endpoints", selector: parseEndpointSelector(endpointSelector, around.namespace) },
    closes,
    ingress: [...rules("ingressDeny"), ...rules("ingress")],
    egress: [...rules("egressDeny"), ...rules("egress")],
  };
}

function cidrGroupsOf(objects: readonly ManifestObject[]): Map<string, readonly string[]> {
  const groups = objects.filter((object) => object.kind === "CiliumCIDRGroup");
  return new Map(
    groups.map((object) => [object.name, object.node.get("spec")?.get("externalCIDRs")?.items().map(cidrText) ?? []]),
  );
}

/**
 * The Cilium policies among the objects of a cluster, with all defaults applied.
 * @throws {ManifestErrors} With every field that Cilium does not know or allow, and every reference that leads nowhere.
 */
export function parseCiliumPolicies(objects: readonly ManifestObject[]): readonly CiliumPolicy[] {
  const cidrGroups = cidrGroupsOf(objects);
  const services = referredServicesOf(objects);
  const seen = new Map<string, ManifestObject>();
  const policies = gatherFaults(
    objects
      .filter((object) => KINDS.includes(object.kind))
      .map((object) => () => {
        if (object.apiVersion !== API_VERSION) {
          throw object.node
            .get("apiVersion")!
            .error(`Cannot read ${formatObject(object)} of ${object.apiVersion}: wanted ${API_VERSION}`);
        }
        object.node.knownFields(["apiVersion", "kind", "metadata", "spec", "specs", "status"]);
        const namespace = object.kind === "CiliumNetworkPolicy" ? (object.namespace ?? "default") : undefined;
        const key = `${namespace ?? ""}/${object.name}`;
        const first = seen.get(key);
        if (first !== undefined) {
          const { path, line } = first.node.position;
          throw object.node.error(`Cannot read ${formatObject(object)} twice: the name is taken at ${path}:${line}`);
        }
        seen.set(key, object);
        const around = { namespace, cidrGroups, services };
        const spec = object.node.get("spec");
        const specs = [...(spec === undefined ? [] : [spec]), ...(object.node.get("specs")?.items() ?? [])];
        if (specs.length === 0) throw object.node.error(`Cannot read ${formatObject(object)}: wanted spec`);
        return specs.map((each) => parseSpec(object, each, around));
      }),
  ).flat();
  const byName = (a: CiliumPolicy, b: CiliumPolicy) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return policies.sort(byName);
}
