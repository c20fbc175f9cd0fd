import type { History } from "./history.js";

const ICMP = 1;
const IGMP = 2;
const UDP = 17;
const ICMPV6 = 58;

/** ICMP types that answer, or complain about, a flow that exists; connection tracking lets them pass with it. */
const ICMP_REPLIES = new Set([0, 3, 4, 5, 11, 12, 14, 16, 18]);
const ICMPV6_REPLIES = new Set([1, 2, 3, 4, 129]);

/** As much of a conversation as tells housekeeping from other traffic. */
export type HousekeepingQuestion = Pick<History, "protocol" | "port" | "serverClass"> & {
  readonly client: { readonly key: string };
  readonly server: { readonly key: string };
};

/**
 * Why the conversation belongs to the running of the link itself, or `undefined` if it does not. Such traffic is never
 * a rule: enforcement always permits it, or it never leaves the host.
 */
export function housekeepingReason(conversation: HousekeepingQuestion): string | undefined {
  const { protocol, port, client, server } = conversation;
  if (client.key === server.key || conversation.serverClass === "loopback") return "it never leaves the host";
  if (protocol === IGMP) return "it is IGMP, by which a link learns its multicast listeners";
  if (protocol === ICMP && ICMP_REPLIES.has(port)) return `ICMP type ${port} answers another flow and passes with it`;
  if (protocol === ICMPV6) {
    if (ICMPV6_REPLIES.has(port)) return `ICMPv6 type ${port} answers another flow and passes with it`;
    if (port >= 130 && port <= 137) return `ICMPv6 type ${port} is neighbour or listener discovery`;
    if (port === 143 || (port >= 148 && port <= 153)) return `ICMPv6 type ${port} is listener or router discovery`;
  }
  if (protocol === UDP && (port === 67 || port === 68)) return "it is DHCP, by which a host gets its address";
  if (protocol === UDP && (port === 546 || port === 547)) return "it is DHCPv6, by which a host gets its address";
  return undefined;
}
