import { formatProtocol } from "../../model/protocol.js";
import type { Exclusion } from "../proposal.js";
import type { Rejected } from "./admission.js";
import { endpointLabel } from "./endpoint.js";
import type { History } from "./history.js";

const PORTS = 20;

const flowsOf = (history: History) => history.answered + history.refused + history.unanswered + history.midstream;

function merge(group: readonly Rejected[]): Exclusion {
  const { kind, history: first, reason, scan } = group[0] as Rejected;
  const servers = new Set(group.map(({ history }) => history.server.key));
  const ports = [...new Set(group.map(({ history }) => history.port))].sort((a, b) => a - b);
  const answered = group.filter(({ history }) => history.answered > 0).length;
  const tail = scan === undefined ? "" : scanTail(answered);
  return {
    kind,
    client: endpointLabel(first.client),
    server: servers.size === 1 ? endpointLabel(first.server) : "many",
    protocol: formatProtocol(first.protocol),
    ports: ports.slice(0, PORTS),
    flows: group.reduce((sum, { history }) => sum + flowsOf(history), 0),
    firstSeenUs: Math.min(...group.map(({ history }) => history.firstSeenUs)),
    lastSeenUs: Math.max(...group.map(({ history }) => history.lastSeenUs)),
    reason: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${tail}.`,
  };
}

function scanTail(answered: number): string {
  if (answered === 0) return "";
  return `; ${answered === 1 ? "the one conversation that was answered is" : `the ${answered} conversations that were answered are`} not offered either`;
}

/** Rejected conversations as a reviewer reads them: one line per client, server, protocol and reason; one per scan and protocol. */
export function exclusionsOf(rejected: readonly Rejected[]): Exclusion[] {
  const groups = new Map<string, Rejected[]>();
  for (const item of [...rejected].sort((a, b) => (a.history.id < b.history.id ? -1 : 1))) {
    const { kind, history, reason } = item;
    const server = kind === "scan" || kind === "housekeeping" ? "" : history.server.key;
    const key = JSON.stringify([kind, history.client.key, server, history.protocol, reason]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  const text = (exclusion: Exclusion) =>
    JSON.stringify([
      exclusion.kind,
      exclusion.client,
      exclusion.server,
      exclusion.protocol,
      exclusion.ports,
      exclusion.reason,
    ]);
  return [...groups.values()]
    .map(merge)
    .map((exclusion) => [text(exclusion), exclusion] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, exclusion]) => exclusion);
}
