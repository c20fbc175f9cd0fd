import { parseAddress } from "../model/address.js";
import { type AddressRange, parseCidr, rangeOfCidr } from "../model/cidr.js";
import type { VerdictEdge } from "../model/verdict-report.js";
import type { HostRuleset } from "../policy/formats/nftables/host-ruleset.js";
import type { Disposition } from "../policy/trust/enforcement-settings.js";
import { permitsEdge } from "./ruleset-cover.js";

type Edge = Pick<VerdictEdge, "direction" | "client" | "server" | "protocol" | "port" | "attempts" | "verdict">;

/** Attempts of a reading, as the state machine wants to know of them. */
export interface EdgeJudgement {
  readonly unexpected: number; // that no reviewer disposed of
  readonly good: number; // of these, dropped: that the policy as approved, or the one before it, permitted
}

function matcher({ client, server, protocol, ports }: Disposition): (edge: Edge) => boolean {
  const [clients, servers] = [client, server].map((text) => rangeOfCidr(parseCidr(text)));
  const holds = (range: AddressRange | undefined, text: string) => {
    const { family, value } = parseAddress(text);
    return range !== undefined && family === range.family && range.first <= value && value <= range.last;
  };
  return (edge) =>
    (protocol === undefined || protocol === edge.protocol) &&
    (ports === undefined || (ports.first <= edge.port && edge.port <= ports.last)) &&
    holds(clients, edge.client) &&
    holds(servers, edge.server);
}

export function judgeEdges(
  edges: readonly Edge[],
  dispositions: readonly Disposition[],
  history: readonly HostRuleset[],
): EdgeJudgement {
  const disposed = dispositions.map(matcher);
  let [unexpected, good] = [0, 0];
  for (const edge of edges) {
    if (disposed.some((isDisposed) => isDisposed(edge))) continue;
    unexpected += edge.attempts;
    if (edge.verdict === "denied" && history.some((ruleset) => permitsEdge(ruleset, edge))) good += edge.attempts;
  }
  return { unexpected, good };
}
