import { addressOfBytes, formatAddress } from "./address.js";
import type { FlowBatch } from "./flow-batch.js";
import { EVIDENCE, type FlowRecord, NAME_SOURCES, type ObservedName, OUTCOMES } from "./flow-record.js";
import { parseScope } from "./flow-scope.js";

/** What `FlowBatch.icmp` holds for a flow that is not ICMP. */
export const NOT_ICMP = 0xffff;

/** Canonical text of entry `index` of a batch's address dictionary. */
export function addressAt(batch: FlowBatch, index: number): string {
  return formatAddress(addressOfBytes(batch.addressFamily[index]!, batch.addressBytes, index * 16));
}

/** The names of row `row`, sorted by source and name. */
export function namesAt(batch: FlowBatch, row: number): readonly ObservedName[] {
  const names: ObservedName[] = [];
  for (let i = batch.nameOffsets[row]!; i < batch.nameOffsets[row + 1]!; i++) {
    names.push({
      name: batch.names[batch.nameIds[i]!] as string,
      source: NAME_SOURCES[batch.nameSources[i]!] as ObservedName["source"],
    });
  }
  return names;
}

/** Row `row` of a batch as a record of its own. For people and borders; the journey itself stays in columns. */
export function flowAt(batch: FlowBatch, row: number): FlowRecord {
  const icmp = batch.icmp[row]!;
  return {
    protocol: batch.protocol[row]!,
    originator: {
      address: addressAt(batch, batch.originatorAddress[row]!),
      port: batch.originatorPort[row]!,
      packets: batch.originatorPackets[row]!,
      bytes: batch.originatorBytes[row]!,
      tcpFlags: batch.originatorTcpFlags[row]!,
    },
    responder: {
      address: addressAt(batch, batch.responderAddress[row]!),
      port: batch.responderPort[row]!,
      packets: batch.responderPackets[row]!,
      bytes: batch.responderBytes[row]!,
      tcpFlags: batch.responderTcpFlags[row]!,
    },
    startUs: batch.startUs[row]!,
    endUs: batch.endUs[row]!,
    outcome: OUTCOMES[batch.outcome[row]!] as FlowRecord["outcome"],
    evidence: EVIDENCE[batch.evidence[row]!] as FlowRecord["evidence"],
    names: namesAt(batch, row),
    ...(icmp === NOT_ICMP ? {} : { icmp: { type: icmp >>> 8, code: icmp & 255 } }),
    ...parseScope(batch.scopes[batch.scope[row]!] as string),
    depth: batch.depth[row]!,
  };
}
