import type { EndIdentity } from "../../model/conversation.js";

/** One end of a conversation as discovery counts it: what runs there, or the bare address where nothing is known. */
export type Endpoint =
  | { readonly kind: "workload"; readonly key: string; readonly id: string }
  | { readonly kind: "address"; readonly key: string; readonly address: string; readonly group: string };

export function workloadEndpoint(id: string): Endpoint {
  return { kind: "workload", key: `w:${id}`, id };
}

/** The identity is the one at the time of the window, so an address that changes hands yields two endpoints. */
export function endpointOf(address: string, identity: EndIdentity): Endpoint {
  return identity.kind === "workload"
    ? workloadEndpoint(identity.id)
    : { kind: "address", key: `a:${address}`, address, group: identity.name };
}

/** For exclusions: who exactly it was. */
export function endpointLabel(endpoint: Endpoint): string {
  return endpoint.kind === "workload" ? endpoint.id : endpoint.address;
}

/** For evidence: the node of the graph it belongs to. */
export function endpointNode(endpoint: Endpoint): string {
  return endpoint.kind === "workload" ? endpoint.id : endpoint.group;
}
