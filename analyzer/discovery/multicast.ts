import { hasPorts } from "../../model/protocol.js";
import type { History } from "./history.js";

export function isToMany({ serverClass }: History): boolean {
  return serverClass === "multicast" || serverClass === "broadcast";
}

/**
 * Routers and gateways that share an address (VRRP, OSPF, PIM ...) speak to a multicast address and are never answered
 * there; losing one such packet stops a network, so a recurring conversation of that kind is admitted unanswered.
 */
export function isRoutingMulticast(history: History): boolean {
  return isToMany(history) && !hasPorts(history.protocol) && history.protocol !== 1 && history.protocol !== 58;
}
