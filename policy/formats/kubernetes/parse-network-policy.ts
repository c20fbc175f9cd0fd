import { cidrCovers, formatCidr, parseCidr } from "../../../model/cidr.js";
import { EVERYTHING, type LabelSelector } from "../../../model/label-selector.js";
import type { Direction } from "../../decision/program.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import { formatObject, type ManifestObject } from "../manifest/manifest-objects.js";
import type { KubernetesPeer, NetworkPolicy, NetworkPolicyRule } from "./network-policy.js";
import { parsePolicyPort, uniteServices } from "./parse-port.js";
import { parseLabelSelector } from "./parse-selector.js";

/** The namespace of that name, by the label that Kubernetes puts on every one. */
export function selectorOfNamespace(name: string): LabelSelector {
  return { requirements: [{ key: "kubernetes.io/metadata.name", operator: "In", values: [name] }] };
}

/** A CIDR with a prefix length, host bits cleared. */
export function parseCidrNode(node: ManifestNode): string {
  return node.parsed((text) => {
    if (!text.includes("/")) throw new SyntaxError(`Cannot parse CIDR "${text}": wanted a prefix length such as /32`);
    return formatCidr(parseCidr(text));
  });
}

function parseIpBlock(node: ManifestNode): KubernetesPeer {
  const { cidr, except } = node.knownFields(["cidr", "except"]);
  if (cidr === undefined) throw node.error(`Cannot read ${node.field}: wanted cidr`);
  const outer = parseCidrNode(cidr);
  const inner = except?.items().map((item) => {
    const text = parseCidrNode(item);
    // The API server wants a strict part: an exception of all would leave a block of nobody.
    if (text === outer || !cidrCovers(parseCidr(outer), parseCidr(text))) {
      throw item.error(`Cannot read exception "${text}": wanted a part of ${outer}`);
    }
    return text;
  });
  return { kind: "ip-block", cidr: outer, except: inner ?? [] };
}

function parsePeer(node: ManifestNode, namespace: string): KubernetesPeer {
  const { podSelector, namespaceSelector, ipBlock } = node.knownFields(["podSelector", "namespaceSelector", "ipBlock"]);
  if (ipBlock !== undefined) {
    if (podSelector !== undefined || namespaceSelector !== undefined) {
      throw node.error(`Cannot read ${node.field}: wanted ipBlock or selectors, not both`);
    }
    return parseIpBlock(ipBlock);
  }
  if (podSelector === undefined && namespaceSelector === undefined) {
    throw node.error(`Cannot read ${node.field}: wanted podSelector, namespaceSelector or ipBlock`);
  }
  return {
    kind: "pods",
    namespaces:
      namespaceSelector === undefined ? selectorOfNamespace(namespace) : parseLabelSelector(namespaceSelector),
    pods: podSelector === undefined ? EVERYTHING : parseLabelSelector(podSelector),
  };
}

/** An empty or missing list of peers means everybody, of ports every service: here both are `undefined`. */
function parseRule(node: ManifestNode, name: string, namespace: string, peersField: "from" | "to"): NetworkPolicyRule {
  const fields = node.knownFields(["ports", peersField]);
  const peers = fields[peersField]?.items().map((item) => parsePeer(item, namespace)) ?? [];
  const ports = fields.ports?.items().map(parsePolicyPort) ?? [];
  return {
    name,
    peers: peers.length === 0 ? undefined : peers,
    services: ports.length === 0 ? undefined : uniteServices(ports),
  };
}

/**
 * A `networking.k8s.io/v1` NetworkPolicy with all defaults applied. Without `policyTypes` ingress is always isolated, egress
 * only when the policy has egress rules.
 * `moreFields` of the spec are let pass. @throws {ManifestError} For every other field that Kubernetes does not know or allow.
 */
export function parseNetworkPolicy(object: ManifestObject, moreFields: readonly string[] = []): NetworkPolicy {
  object.node.knownFields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = object.node.get("spec");
  if (spec === undefined) throw object.node.error(`Cannot read ${formatObject(object)}: wanted spec`);
  const fields: Partial<Readonly<Record<string, ManifestNode>>> = spec.knownFields([
    ...["podSelector", "policyTypes", "ingress", "egress"],
    ...moreFields,
  ]);
  const namespace = object.namespace ?? "default";
  const types = fields.policyTypes?.items().map((item) => item.choice(["Ingress", "Egress"])) ?? [];
  const hasEgress = (fields.egress?.items().length ?? 0) > 0;
  const directions: Direction[] =
    types.length > 0
      ? [...new Set(types)].sort().map((type) => (type === "Ingress" ? "ingress" : "egress"))
      : hasEgress
        ? ["egress", "ingress"]
        : ["ingress"];
  const rules = (direction: Direction, peersField: "from" | "to") =>
    (fields[direction]?.items() ?? []).map((item, i) => parseRule(item, `${direction}[${i}]`, namespace, peersField));
  return {
    namespace,
    name: object.name,
    pods: fields.podSelector === undefined ? EVERYTHING : parseLabelSelector(fields.podSelector),
    directions,
    ingress: rules("ingress", "from"),
    egress: rules("egress", "to"),
  };
}
