import type { LabelSelector } from "../../model/label-selector.js";
import type { Workload } from "../../model/workload.js";
import type { Peer } from "../peer.js";
import type { Selection } from "../selection.js";
import type { Service } from "../service.js";

/** What one of the formats that select pods by label can say beyond the common ground. */
export interface PodTarget {
  readonly name: string; // as in a sentence, e.g. "Kubernetes NetworkPolicy"
  readonly directions: readonly ("ingress" | "egress")[];
  readonly isClusterwide: boolean; // whether an object may select pods of all namespaces
  readonly hasExpressions: boolean; // whether a selector may say more than `key: value`
  readonly audit: "staged" | "open" | "none"; // see expressForPods
  readonly hasServiceAccounts: boolean; // whether a selector may ask for them
  readonly hasNames: boolean; // whether an egress peer may be a DNS name
  /** Whether an address in a rule also means the pod that has it, or only what is no pod. */
  readonly addressesMean: "anyone" | "outsiders";
  /** Where an object would be for every namespace instead of its own, so that none is written there. */
  readonly rootNamespace?: string;
  /** What the target lets pass unjudged, whoever is isolated. */
  readonly unjudged?: { readonly services: readonly Service[]; readonly text: string };
  /** How a rule's client can be told, where that is not by label as for its server. */
  readonly fitClient?: (peer: Peer, selection: Selection & PodCensus) => FittedPeer;
  readonly fitServices: (services: readonly Service[]) => FittedServices;
}

/** One end of a rule in the target's words, or the reason why there are none. */
export type FittedPeer =
  | { readonly kind: "said"; readonly peer: Peer; readonly condition?: string }
  | { readonly kind: "wider"; readonly peer: Peer; readonly text: string }
  | { readonly kind: "unsayable"; readonly text: string };

/** The part of a rule's services that a target can say, and the rest with the reason. */
export interface FittedServices {
  readonly said: readonly Service[];
  readonly lost: readonly { readonly services: readonly Service[]; readonly text: string }[];
}

/** Kinds of workload that no pod stands for; everything else in a valid namespace is taken for one. Lower case. */
const NOT_PODS = new Set(["host", "vm", "virtualmachine", "server", "machine", "device", "external", "process"]);

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Tells which workloads run as pods, so that policies by label can reach them. */
export interface PodCensus {
  readonly isPod: (workload: Workload) => boolean;
  /** No workload of the inventory looks like a pod, so all in a valid namespace are taken for pods. */
  readonly isAssumed: boolean;
}

export function podCensus(workloads: readonly Workload[]): PodCensus {
  const isKind = (workload: Workload) => !NOT_PODS.has(workload.kind.toLowerCase());
  const isPlaced = (workload: Workload) => DNS_LABEL.test(workload.namespace);
  const isAssumed = workloads.length > 0 && !workloads.some((workload) => isKind(workload) && isPlaced(workload));
  return { isPod: (workload) => (isAssumed || isKind(workload)) && isPlaced(workload), isAssumed };
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return LABEL_NAME.test(key);
  return DNS_SUBDOMAIN.test(key.slice(0, slash)) && LABEL_NAME.test(key.slice(slash + 1));
}

/** The first key or value that Kubernetes would refuse, or `undefined`. No pod can bear such a label. */
export function invalidLabelOf(selector: LabelSelector): string | undefined {
  for (const requirement of selector.requirements) {
    if (!isLabelKey(requirement.key)) return requirement.key;
    if (!("values" in requirement)) continue;
    const value = requirement.values.find((candidate) => !LABEL_VALUE.test(candidate));
    if (value !== undefined) return value;
  }
  return undefined;
}
