import { parseAddress } from "../../model/address.js";
import { type BatchOrigin, type CaptureLoss, FLOW_BATCH_VERSION, type FlowBatch } from "../../model/flow-batch.js";
import {
  type DirectionEvidence,
  EVIDENCE,
  NAME_SOURCES,
  type NameSource,
  OUTCOMES,
  type Outcome,
} from "../../model/flow-record.js";

/** 2026-01-05T08:00:00Z, the start of an hour. */
export const T0 = Date.UTC(2026, 0, 5, 8) * 1000;
export const SECOND = 1_000_000;

/** One flow of a test: what matters is said, the rest has a plain value. */
export interface TestFlow {
  readonly from?: string; // originator, "address" or "address:port" is spelled apart: see fromPort
  readonly fromPort?: number;
  readonly to?: string;
  readonly port?: number;
  readonly protocol?: number;
  readonly startUs?: number;
  readonly endUs?: number;
  readonly outcome?: Outcome;
  readonly evidence?: DirectionEvidence;
  readonly packets?: readonly [out: number, back: number];
  readonly bytes?: readonly [out: number, back: number];
  readonly icmp?: number; // type << 8 | code
  readonly scope?: string;
  readonly names?: readonly { readonly name: string; readonly source: NameSource }[];
}

function bytesOf(text: string): { family: number; bytes: Uint8Array } {
  const { family, value } = parseAddress(text);
  const bytes = new Uint8Array(16);
  const size = family === 4 ? 4 : 16;
  for (let i = 0; i < size; i++) bytes[i] = Number((value >> BigInt(8 * (size - 1 - i))) & 255n);
  return { family, bytes };
}

class Interned {
  readonly texts: string[] = [];
  numberOf(text: string): number {
    const known = this.texts.indexOf(text);
    return known >= 0 ? known : this.texts.push(text) - 1;
  }
}

export function originOf(collector: string, sequence: number, boot = "boot-1", bucket = 0): BatchOrigin {
  return { collector, boot, sequence, bucket };
}

/** A batch of test flows. */
export function batchOf(
  origin: BatchOrigin,
  flows: readonly TestFlow[],
  loss: CaptureLoss = { dropped: 0 },
): FlowBatch {
  const addresses = new Interned();
  const scopes = new Interned();
  const names = new Interned();
  const starts = flows.map((flow) => flow.startUs ?? T0);
  const nameLists = flows.map((flow) => flow.names ?? []);
  const column = (value: (flow: TestFlow) => number) => flows.map(value);
  const originatorAddress = Uint32Array.from(column((flow) => addresses.numberOf(flow.from ?? "10.0.0.1")));
  const responderAddress = Uint32Array.from(column((flow) => addresses.numberOf(flow.to ?? "10.0.0.2")));
  const scope = Uint32Array.from(column((flow) => scopes.numberOf(flow.scope ?? "")));
  const nameIds = Uint32Array.from(nameLists.flatMap((list) => list.map(({ name }) => names.numberOf(name))));
  const parsed = addresses.texts.map(bytesOf);
  let offset = 0;
  return {
    version: FLOW_BATCH_VERSION,
    origin,
    loss,
    length: flows.length,
    addressFamily: Uint8Array.from(parsed, ({ family }) => family),
    addressBytes: Uint8Array.from(parsed.flatMap(({ bytes }) => [...bytes])),
    protocol: Uint8Array.from(column((flow) => flow.protocol ?? 6)),
    originatorAddress,
    responderAddress,
    originatorPort: Uint16Array.from(column((flow) => flow.fromPort ?? 40_000)),
    responderPort: Uint16Array.from(column((flow) => flow.port ?? 443)),
    originatorPackets: Float64Array.from(column((flow) => flow.packets?.[0] ?? 3)),
    responderPackets: Float64Array.from(column((flow) => flow.packets?.[1] ?? 2)),
    originatorBytes: Float64Array.from(column((flow) => flow.bytes?.[0] ?? 300)),
    responderBytes: Float64Array.from(column((flow) => flow.bytes?.[1] ?? 200)),
    originatorTcpFlags: new Uint8Array(flows.length),
    responderTcpFlags: new Uint8Array(flows.length),
    startUs: Float64Array.from(starts),
    endUs: Float64Array.from(flows, (flow, i) => flow.endUs ?? (starts[i] as number) + SECOND),
    outcome: Uint8Array.from(column((flow) => OUTCOMES.indexOf(flow.outcome ?? "answered"))),
    evidence: Uint8Array.from(column((flow) => EVIDENCE.indexOf(flow.evidence ?? "syn"))),
    icmp: Uint16Array.from(column((flow) => flow.icmp ?? 0xffff)),
    depth: new Uint8Array(flows.length),
    scope,
    scopes: scopes.texts,
    nameOffsets: Uint32Array.from([0, ...nameLists.map((list) => (offset += list.length))]),
    nameIds,
    nameSources: Uint8Array.from(nameLists.flatMap((list) => list.map(({ source }) => NAME_SOURCES.indexOf(source)))),
    names: names.texts,
  };
}
