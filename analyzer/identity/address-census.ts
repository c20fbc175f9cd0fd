import { compareAddresses, parseAddress } from "../../model/address.js";
import type { FlowBatch } from "../../model/flow-batch.js";
import { addressAt } from "../../model/flow-rows.js";
import { EMPTY_INVENTORY, type Inventory } from "../../model/workload.js";
import { classOfAddress } from "../discovery/address-class.js";

/** More hosts than one reads a chart of, or reviews rules for; the others stay in their group. */
const MOST_HOSTS = 120;

/** Flows in which an address said something. */
interface Spoken {
  asServer: number;
  asClient: number;
}

/**
 * Notes which private addresses sent anything, for captures that come without an inventory. An address that was only
 * spoken to, such as one of a scanned range, may not exist and is not noted.
 */
export class AddressCensus {
  private readonly seen = new Map<string, Spoken>();

  add(batch: FlowBatch): void {
    const asServer = new Uint32Array(batch.addressFamily.length);
    const asClient = new Uint32Array(batch.addressFamily.length);
    for (let row = 0; row < batch.length; row++) {
      const [client, server] = [batch.originatorAddress[row] as number, batch.responderAddress[row] as number];
      if ((batch.originatorPackets[row] as number) > 0) asClient[client] = (asClient[client] as number) + 1;
      if ((batch.responderPackets[row] as number) > 0) asServer[server] = (asServer[server] as number) + 1;
    }
    for (let i = 0; i < asServer.length; i++) {
      if (asServer[i] === 0 && asClient[i] === 0) continue;
      const text = addressAt(batch, i);
      if (classOfAddress(text) !== "private") continue;
      const known = this.seen.get(text) ?? { asServer: 0, asClient: 0 };
      known.asServer += asServer[i] as number;
      known.asClient += asClient[i] as number;
      this.seen.set(text, known);
    }
  }

  /**
   * An inventory in which each noted address is a host of its own, named and labelled after its address. Of very many,
   * those that answered most come first, then those that asked most.
   */
  inventory(): Inventory {
    const chosen = [...this.seen]
      .map(([text, spoken]) => ({ ...spoken, text, address: parseAddress(text) }))
      .sort((a, b) => b.asServer - a.asServer || b.asClient - a.asClient || compareAddresses(a.address, b.address))
      .slice(0, MOST_HOSTS);
    const workloads = chosen.map(({ text }) => ({
      id: `host/${text}`,
      namespace: "host",
      name: text,
      kind: "Host",
      labels: { host: text.replaceAll(/[.:]+/g, "-") },
      addresses: [{ address: text }],
    }));
    workloads.sort((a, b) => (a.id < b.id ? -1 : 1));
    return { ...EMPTY_INVENTORY, workloads, namespaces: workloads.length === 0 ? [] : [{ name: "host", labels: {} }] };
  }
}
