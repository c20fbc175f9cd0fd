import type { TunnelHop } from "./flow-record.js";

/** Where a five-tuple is meant: the VLANs and tunnels around it, outermost first. */
export interface FlowScope {
  readonly vlan: readonly number[];
  readonly tunnel: readonly TunnelHop[];
}

export const NO_SCOPE: FlowScope = { vlan: [], tunnel: [] };

/**
 * Canonical text of a scope: `""` for none, else JSON with a fixed key order, so that equal scopes
 * have equal text and the text can be read back without a grammar of its own.
 */
export function formatScope(scope: FlowScope): string {
  if (scope.vlan.length === 0 && scope.tunnel.length === 0) return "";
  const tunnel = scope.tunnel.map(({ kind, id, outer }) => ({
    kind,
    ...(id === undefined ? {} : { id }),
    ...(outer === undefined ? {} : { outer }),
  }));
  return JSON.stringify({ vlan: scope.vlan, tunnel });
}

/** Reads what `formatScope` wrote. @throws {SyntaxError} On anything else. */
export function parseScope(text: string): FlowScope {
  if (text === "") return NO_SCOPE;
  return JSON.parse(text) as FlowScope;
}
