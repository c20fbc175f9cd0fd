import type { FlowBatch } from "../../model/flow-batch.js";

const utf8 = new TextEncoder();

function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, 0x9e3779b1);
  mixed ^= mixed >>> 15;
  return Math.imul(mixed, 0x85ebca77) ^ (mixed >>> 13);
}

function hashBytes(bytes: Uint8Array, from: number, length: number): number {
  let hash = Math.imul(0x811c9dc5 ^ length, 0x01000193);
  for (let i = from; i < from + length; i++) hash = mix(hash, bytes[i]!);
  return hash;
}

/** ICMP has no ports: its `service` is the request's type, and the two directions are different flows. */
export function isDirected(protocol: number): boolean {
  return protocol === 1 || protocol === 58;
}

/**
 * Writes the hash of each row's five-tuple, two words a row. Both directions hash alike, so that observers who disagree
 * about the originator still meet; and the hash is made of what the batch's numbers stand for, so that it is the same in
 * every store.
 */
export function hashTuples(into: Uint32Array, batch: FlowBatch, rows: Uint32Array, services: Uint16Array): void {
  const addresses = new Int32Array(batch.addressFamily.length);
  for (let i = 0; i < addresses.length; i++) {
    addresses[i] = hashBytes(batch.addressBytes, i * 16, batch.addressFamily[i] === 4 ? 4 : 16);
  }
  const scopes = Int32Array.from(batch.scopes, (scope) => {
    const bytes = utf8.encode(scope);
    return hashBytes(bytes, 0, bytes.length);
  });
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const protocol = batch.protocol[row]!;
    const port = batch.originatorPort[row]!;
    const service = services[i]!;
    const originator = addresses[batch.originatorAddress[row]!]!;
    const responder = addresses[batch.responderAddress[row]!]!;
    const isForward =
      isDirected(protocol) || originator >>> 0 < responder >>> 0 || (originator === responder && port <= service);
    const low = isForward ? originator : responder;
    const high = isForward ? responder : originator;
    const ports = isForward ? (port << 16) | service : (service << 16) | port;
    const seed = mix(protocol, scopes[batch.scope[row]!]!);
    into[2 * i] = mix(mix(mix(seed ^ 0x2545f491, low), high), ports);
    into[2 * i + 1] = mix(mix(mix(seed ^ 0x1b873593, high), ports), low);
  }
}
