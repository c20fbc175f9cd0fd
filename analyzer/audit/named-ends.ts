import { parseAddress } from "../../model/address.js";
import type { EndIdentity } from "../../model/conversation.js";
import { AddressTimelines } from "../../model/identity-index.js";
import type { Inventory } from "../../model/workload.js";
import type { NamedEnd } from "./accepted-denials.js";

/** What the inventory calls an address at a time, in microseconds. */
export function namedEnds(inventory: Inventory): (address: string, timeUs: number) => NamedEnd {
  const identities: EndIdentity[] = [];
  const timelines = new AddressTimelines(inventory, (identity) => identities.push(identity) - 1);
  return (address, timeUs) => {
    const timeline = timelines.of(parseAddress(address));
    const part = timeline.untilUs.findIndex((until) => timeUs < until);
    const identity = identities[timeline.identities[part] as number] as EndIdentity;
    return { address, name: identity.kind === "workload" ? identity.id : identity.name };
  };
}
