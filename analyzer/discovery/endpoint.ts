import type { EndIdentity } from "../../model/conversation.js";
import { classOfAddress } from "./address-class.js";

/** One end of a conversation as discovery counts it: what runs there, or the bare address where nothing is known. */
export type Endpoint =
  | { readonly kind: "workload"; readonly key: string; readonly id: string }
  | { readonly kind: "address"; readonly key: string; readonly address: string; readonly group: string };

export function workloadEndpoint(id: string): Endpoint {
  return { kind: "workload", key: `w:${id}`, id };
}

/**
 * The identity is the one at the time of the window, so an address that changes hands yields two endpoints. A workload
 * that the inventory no longer knows is only its address: no selector could mean it.
 */
export function endpointOf(address: string, identity: EndIdentity, known: ReadonlySet<string>): Endpoint {
  if (identity.kind === "workload" && known.has(identity.id)) return workloadEndpoint(identity.id);
  const group = identity.kind === "group" ? identity.name : groupOf(address);
  return { kind: "address", key: `a:${address}`, address, group };
}

/** The group that an address without a workload belongs to, see the reserved names of the inventory. */
function groupOf(address: string): string {
  const kind = classOfAddress(address);
  return kind === "global" ? "external" : kind;
}

/** For exclusions: who exactly it was. */
export function endpointLabel(endpoint: Endpoint): string {
  return endpoint.kind === "workload" ? endpoint.id : endpoint.address;
}

/** For evidence: the node of the graph it belongs to. */
export function endpointNode(endpoint: Endpoint): string {
  return endpoint.kind === "workload" ? endpoint.id : endpoint.group;
}
