import { formatAddress, tryParseAddress } from "../../../model/address.js";

/** Counts of one five-tuple over a whole capture; `undefined` where the program does not tell. */
export interface TupleFlow {
  readonly protocol: number;
  readonly originator: string; // "address port"
  readonly responder: string;
  readonly isObserved?: boolean; // who opened it was seen, not guessed
  readonly originatorPackets?: number | undefined;
  readonly responderPackets?: number | undefined;
  readonly originatorBytes?: number | undefined; // IP bytes
  readonly responderBytes?: number | undefined;
}

/** One end as text: the address in its canonical form, if it is one, then the port. */
export function endOf(address: string, port: number): string {
  const parsed = tryParseAddress(address);
  return `${parsed === undefined ? address : formatAddress(parsed)} ${port}`;
}

interface Sides {
  packetsLow: number | undefined;
  packetsHigh: number | undefined;
  bytesLow: number | undefined;
  bytesHigh: number | undefined;
}

/** All flows of one undirected tuple together. */
export interface TupleTotals extends Sides {
  readonly key: string; // "protocol low high"
  readonly low: string;
  readonly high: string;
  readonly originators: Set<string>;
  isObserved: boolean; // for all of them
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

/** Adds up flows by undirected tuple. */
export function totalsByTuple(flows: Iterable<TupleFlow>): Map<string, TupleTotals> {
  const totals = new Map<string, TupleTotals>();
  for (const flow of flows) {
    const isLow = flow.originator <= flow.responder;
    const [low, high] = isLow ? [flow.originator, flow.responder] : [flow.responder, flow.originator];
    const key = `${flow.protocol} ${low} ${high}`;
    let total = totals.get(key);
    if (total === undefined) {
      total = {
        key,
        low,
        high,
        originators: new Set(),
        isObserved: true,
        packetsLow: 0,
        packetsHigh: 0,
        bytesLow: 0,
        bytesHigh: 0,
      };
      totals.set(key, total);
    }
    total.originators.add(flow.originator);
    if (flow.isObserved !== true) total.isObserved = false;
    total.packetsLow = plus(total.packetsLow, isLow ? flow.originatorPackets : flow.responderPackets);
    total.packetsHigh = plus(total.packetsHigh, isLow ? flow.responderPackets : flow.originatorPackets);
    total.bytesLow = plus(total.bytesLow, isLow ? flow.originatorBytes : flow.responderBytes);
    total.bytesHigh = plus(total.bytesHigh, isLow ? flow.responderBytes : flow.originatorBytes);
  }
  return totals;
}
