import { type ArrowColumn, type ArrowDictionary, arrowStream, type Numbers } from "./arrow-stream-writer.js";
import type { FlowBatch } from "./flow-batch.js";
import { NAME_SOURCES } from "./flow-record.js";

export const NETWORK_DICTIONARY = 0;
export const SCOPE_DICTIONARY = 1;
export const NAME_DICTIONARY = 2;

/** The same whole numbers in as few bytes each as the largest needs. */
function narrow(values: Uint32Array | Float64Array, most: number): Numbers {
  if (most < 0x100) return new Uint8Array(values);
  if (most < 0x10000) return new Uint16Array(values);
  return most < 0x1_0000_0000 ? new Uint32Array(values) : new Float64Array(values);
}

/** A counter in two columns: its lowest 8 or 16 bits, and, unless they are all 0, what is above them. */
function counter(name: string, values: Float64Array, bits: 8 | 16): ArrowColumn[] {
  const scale = 2 ** bits;
  const low = bits === 8 ? new Uint8Array(values.length) : new Uint16Array(values.length);
  let high: Float64Array | undefined;
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < scale) {
      low[i] = value;
      continue;
    }
    high ??= new Float64Array(values.length);
    const above = Math.floor(value / scale);
    low[i] = value - above * scale;
    high[i] = above;
    if (above > most) most = above;
  }
  const column = { name, values: low };
  return high === undefined ? [column] : [column, { name: `${name}_high${bits}`, values: narrow(high, most) }];
}

/** All but the last byte of each address, each network once, and for each address the number of its own. */
function networksOf({ addressBytes, addressFamily }: FlowBatch): { networks: Uint8Array[]; networkOf: Uint32Array } {
  const count = addressFamily.length;
  const networks: Uint8Array[] = [];
  const networkOf = new Uint32Array(count);
  // Open addressing over the bytes themselves: text as keys would cost more than all else here.
  const mask = 2 ** Math.ceil(Math.log2(2 * count + 2)) - 1;
  const places = new Int32Array(mask + 1);
  for (let i = 0; i < count; i++) {
    const at = 16 * i;
    const length = addressFamily[i] === 4 ? 3 : 15;
    let hash = length;
    for (let k = 0; k < length; k++) hash = Math.imul(hash ^ addressBytes[at + k]!, 0x01000193);
    for (let place = (hash ^ (hash >>> 15)) & mask; ; place = (place + 1) & mask) {
      const number = places[place]! - 1;
      if (number === -1) {
        places[place] = networks.push(addressBytes.subarray(at, at + length));
        networkOf[i] = networks.length - 1;
        break;
      }
      const network = networks[number]!;
      let same = network.length === length ? 0 : -1;
      while (same >= 0 && same < length && network[same] === addressBytes[at + same]) same++;
      if (same === length) {
        networkOf[i] = number;
        break;
      }
    }
  }
  return { networks, networkOf };
}

/** Both addresses of each row: all but the last byte by dictionary, the last byte beside it. */
function addressColumns(batch: FlowBatch): ArrowColumn[] {
  const { addressBytes, addressFamily } = batch;
  const { networks, networkOf } = networksOf(batch);
  const dictionary: ArrowDictionary = { id: NETWORK_DICTIONARY, kind: "binary", values: networks };
  const side = (name: string, addresses: Uint32Array): ArrowColumn[] => {
    const network = new Uint32Array(addresses.length);
    const host = new Uint8Array(addresses.length);
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[i]!;
      network[i] = networkOf[address]!;
      host[i] = addressBytes[16 * address + (addressFamily[address] === 4 ? 3 : 15)]!;
    }
    return [
      { name: `${name}_network`, values: narrow(network, networks.length - 1), dictionary },
      { name: `${name}_host`, values: host },
    ];
  };
  return [...side("originator", batch.originatorAddress), ...side("responder", batch.responderAddress)];
}

/** The names of each row as one text: rows have few different sets of them. */
function namesColumn({ length, nameOffsets, nameIds, nameSources, names }: FlowBatch): ArrowColumn {
  const sets: string[] = [];
  const values = new Uint32Array(length);
  const sources = NAME_SOURCES.length;
  const single = new Int32Array(names.length * sources + 1); // number + 1 of a set of one name; the last is no name
  const several = new Map<string, number>();
  const add = (from: number, to: number): number => {
    let text = "";
    for (let i = from; i < to; i++) {
      text += `${i === from ? "" : ","}["${NAME_SOURCES[nameSources[i]!]}",${JSON.stringify(names[nameIds[i]!])}]`;
    }
    return sets.push(`[${text}]`);
  };
  for (let row = 0; row < length; row++) {
    const from = nameOffsets[row]!;
    const to = nameOffsets[row + 1]!;
    if (to - from < 2) {
      const place = to === from ? single.length - 1 : nameIds[from]! * sources + nameSources[from]!;
      if (single[place] === 0) single[place] = add(from, to);
      values[row] = single[place]! - 1;
      continue;
    }
    let key = "";
    for (let i = from; i < to; i++)
      key += String.fromCharCode(nameIds[i]! >>> 16, nameIds[i]! & 0xffff, nameSources[i]!);
    let number = several.get(key);
    if (number === undefined) {
      number = add(from, to);
      several.set(key, number);
    }
    values[row] = number - 1;
  }
  const dictionary: ArrowDictionary = { id: NAME_DICTIONARY, kind: "utf8", values: sets };
  return { name: "names", values: narrow(values, sets.length - 1), dictionary };
}

/** Steps from row to row where the rows are in order of time, as collectors make them; else what lies after the base. */
function startColumns(startUs: Float64Array, baseUs: number): ArrowColumn[] {
  const after = new Float64Array(startUs.length);
  const steps = new Float64Array(startUs.length);
  let isOrdered = true;
  let last = baseUs;
  for (let i = 0; i < startUs.length; i++) {
    const start = startUs[i]!;
    after[i] = start - baseUs;
    steps[i] = start - last;
    if (start < last) isOrdered = false;
    last = start;
  }
  return isOrdered ? counter("start_step", steps, 16) : counter("start", after, 16);
}

/** Bytes of an Arrow IPC stream with one record batch; its layout stands in flow-batch-codec.ts. */
export function encodeFlowBatch(batch: FlowBatch): Uint8Array {
  const { length, origin, startUs, endUs } = batch;
  let baseUs = length === 0 ? 0 : Number.POSITIVE_INFINITY;
  const duration = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    if (startUs[i]! < baseUs) baseUs = startUs[i]!;
    duration[i] = endUs[i]! - startUs[i]!;
  }
  const scopes: ArrowDictionary = { id: SCOPE_DICTIONARY, kind: "utf8", values: batch.scopes };
  const columns: ArrowColumn[] = [
    { name: "protocol", values: batch.protocol },
    ...addressColumns(batch),
    { name: "originator_port", values: batch.originatorPort },
    { name: "responder_port", values: batch.responderPort },
    ...counter("originator_packets", batch.originatorPackets, 8),
    ...counter("responder_packets", batch.responderPackets, 8),
    ...counter("originator_bytes", batch.originatorBytes, 16),
    ...counter("responder_bytes", batch.responderBytes, 16),
    { name: "originator_tcp_flags", values: batch.originatorTcpFlags },
    { name: "responder_tcp_flags", values: batch.responderTcpFlags },
    ...startColumns(startUs, baseUs),
    ...counter("duration", duration, 16),
    { name: "outcome", values: batch.outcome },
    { name: "evidence", values: batch.evidence },
    { name: "icmp", values: batch.icmp },
    { name: "depth", values: batch.depth },
    { name: "scope", values: narrow(batch.scope, batch.scopes.length - 1), dictionary: scopes },
    namesColumn(batch),
  ];
  return arrowStream(length, columns, [
    ["portolan.version", String(batch.version)],
    ["portolan.collector", origin.collector],
    ["portolan.boot", origin.boot],
    ["portolan.sequence", String(origin.sequence)],
    ["portolan.bucket", String(origin.bucket)],
    ["portolan.dropped", String(batch.loss.dropped)],
    ["portolan.baseUs", String(baseUs)],
  ]);
}
