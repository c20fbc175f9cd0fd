import { csvCell } from "../model/csv.js";
import type { FlowRecord, FlowSide } from "../model/flow-record.js";
import { formatProtocol } from "../model/protocol.js";

function side({ address, port, packets, bytes }: FlowSide): object {
  return { address, port, packets, bytes };
}

/** One flow as one line of JSON, keys in this order. The fields are explained by `portolan flows --help`. */
export function flowJsonLine(flow: FlowRecord): string {
  return JSON.stringify({
    protocol: formatProtocol(flow.protocol),
    originator: side(flow.originator),
    responder: side(flow.responder),
    startUs: flow.startUs,
    endUs: flow.endUs,
    outcome: flow.outcome,
    evidence: flow.evidence,
    names: flow.names.map(({ name, source }) => ({ name, source })),
    vlan: flow.vlan,
    tunnel: flow.tunnel,
    depth: flow.depth,
  });
}

const CSV_COLUMNS: readonly (readonly [string, (flow: FlowRecord) => string | number])[] = [
  ["protocol", (flow) => formatProtocol(flow.protocol)],
  ["originatorAddress", (flow) => flow.originator.address],
  ["originatorPort", (flow) => flow.originator.port],
  ["originatorPackets", (flow) => flow.originator.packets],
  ["originatorBytes", (flow) => flow.originator.bytes],
  ["responderAddress", (flow) => flow.responder.address],
  ["responderPort", (flow) => flow.responder.port],
  ["responderPackets", (flow) => flow.responder.packets],
  ["responderBytes", (flow) => flow.responder.bytes],
  ["startUs", (flow) => flow.startUs],
  ["endUs", (flow) => flow.endUs],
  ["outcome", (flow) => flow.outcome],
  ["evidence", (flow) => flow.evidence],
  ["names", (flow) => flow.names.map(({ name, source }) => `${name} (${source})`).join("; ")],
  ["vlan", (flow) => flow.vlan.join(" ")],
  ["tunnel", (flow) => flow.tunnel.map(tunnelCell).join("; ")],
  ["depth", (flow) => flow.depth],
];

function tunnelCell({ kind, id, outer }: FlowRecord["tunnel"][number]): string {
  return [kind, ...(id === undefined ? [] : [String(id)]), ...(outer === undefined ? [] : [outer])].join(" ");
}

export const FLOW_CSV_HEADER = CSV_COLUMNS.map(([name]) => name).join(",");

/** One flow as one CSV row (RFC 4180), in the order of FLOW_CSV_HEADER. */
export function flowCsvLine(flow: FlowRecord): string {
  return CSV_COLUMNS.map(([, cellOf]) => csvCell(cellOf(flow))).join(",");
}
