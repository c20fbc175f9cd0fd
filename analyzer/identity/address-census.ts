import { compareAddresses, formatAddress, type IpAddress, parseAddress } from "../../model/address.js";
import type { FlowBatch } from "../../model/flow-batch.js";
import { EMPTY_INVENTORY, type Inventory } from "../../model/workload.js";
import { classOfAddress } from "../discovery/address-class.js";

/** More hosts than one reads a chart of; beyond it they stay in their groups. */
const MOST_HOSTS = 20_000;

/**
 * Notes which private addresses sent anything, for captures that come without an inventory. An address that was only
 * spoken to, such as one of a scanned range, may not exist and is not noted.
 */
export class AddressCensus {
  private readonly seen = new Set<string>();

  add(batch: FlowBatch): void {
    const spoke = new Uint8Array(batch.addressFamily.length);
    for (let row = 0; row < batch.length; row++) {
      if ((batch.originatorPackets[row] as number) > 0) spoke[batch.originatorAddress[row] as number] = 1;
      if ((batch.responderPackets[row] as number) > 0) spoke[batch.responderAddress[row] as number] = 1;
    }
    for (let i = 0; i < spoke.length && this.seen.size < MOST_HOSTS; i++) {
      if (spoke[i] === 0) continue;
      const family = batch.addressFamily[i] === 4 ? 4 : 6;
      let value = 0n;
      for (let k = 0; k < (family === 4 ? 4 : 16); k++) {
        value = (value << 8n) | BigInt(batch.addressBytes[i * 16 + k] as number);
      }
      const text = formatAddress({ family, value });
      if (classOfAddress(text) === "private") this.seen.add(text);
    }
  }

  /** An inventory in which each noted address is a host of its own, named and labelled after its address. */
  inventory(): Inventory {
    const addresses: IpAddress[] = [...this.seen].map(parseAddress).sort(compareAddresses);
    const workloads = addresses.map((address) => {
      const name = formatAddress(address);
      const labels = { host: name.replaceAll(/[.:]+/g, "-") };
      return { id: `host/${name}`, namespace: "host", name, kind: "Host", labels, addresses: [{ address: name }] };
    });
    workloads.sort((a, b) => (a.id < b.id ? -1 : 1));
    return { ...EMPTY_INVENTORY, workloads, namespaces: workloads.length === 0 ? [] : [{ name: "host", labels: {} }] };
  }
}
