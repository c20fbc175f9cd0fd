import type { CaptureError } from "../../../collector/capture-file/capture-error.js";
import { readCaptures } from "../../../collector/read-captures.js";
import { type FlowRecord, isCertain } from "../../../model/flow-record.js";
import { flowAt } from "../../../model/flow-rows.js";
import { endOf, type TupleFlow } from "./tuple-flows.js";

export interface OurFlows {
  readonly flows: readonly FlowRecord[];
  readonly errors: readonly CaptureError[];
  readonly elapsedMs: number;
}

/** Flow records of one capture, as we see them. */
export async function ourFlows(path: string): Promise<OurFlows> {
  const flows: FlowRecord[] = [];
  const started = performance.now();
  const batches = readCaptures([path]);
  for (;;) {
    const next = await batches.next();
    if (next.done === true) {
      return { flows, errors: next.value.errors, elapsedMs: performance.now() - started };
    }
    for (let row = 0; row < next.value.length; row++) flows.push(flowAt(next.value, row));
  }
}

/** In the shape that is compared. */
export function asTupleFlow(flow: FlowRecord): TupleFlow {
  return {
    protocol: flow.protocol,
    isObserved: isCertain(flow.evidence),
    originator: endOf(flow.originator.address, flow.originator.port),
    responder: endOf(flow.responder.address, flow.responder.port),
    originatorPackets: flow.originator.packets,
    responderPackets: flow.responder.packets,
    originatorBytes: flow.originator.bytes,
    responderBytes: flow.responder.bytes,
  };
}

const TUNNEL_PORTS = new Set([4789, 8472, 6081, 2152, 3544, 5072, 1701, 6635, 4790, 5247]);

/** Flows that enclose no other: those of the packets' innermost IP headers, as far as records tell. */
export function innermost(flows: readonly FlowRecord[]): FlowRecord[] {
  const enclosing = new Set<string>();
  for (const { tunnel, depth } of flows) {
    const outer = tunnel.findLast((hop) => hop.outer !== undefined)?.outer;
    if (outer === undefined) continue;
    const [a, b] = outer.split(">") as [string, string];
    enclosing.add(`${depth - 1} ${a} ${b}`).add(`${depth - 1} ${b} ${a}`);
  }
  return flows.filter(({ originator, responder, depth }) => {
    const isPossible =
      originator.port + responder.port === 0 || TUNNEL_PORTS.has(originator.port) || TUNNEL_PORTS.has(responder.port);
    return !isPossible || !enclosing.has(`${depth} ${originator.address} ${responder.address}`);
  });
}
