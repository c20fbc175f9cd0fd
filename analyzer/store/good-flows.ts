import type { FlowBatch } from "../../model/flow-batch.js";
import { EVIDENCE, OUTCOMES } from "../../model/flow-record.js";
import { HOUR_US } from "../../model/time-window.js";

/** Flows outside of these years are taken for damage: 1990 to 2200. */
const EARLIEST_US = 631_152_000e6;
const LATEST_US = 7_258_118_400e6;
/** A longer record is damage too, and would claim activity in thousands of hours. */
const LONGEST_US = 31 * 24 * HOUR_US;

/** Whether times, counters and indexes of a row can be. */
function isGood(batch: FlowBatch, row: number, addresses: number, scopes: number): boolean {
  const startUs = batch.startUs[row]!;
  const endUs = batch.endUs[row]!;
  const packetsOut = batch.originatorPackets[row]!;
  const packetsBack = batch.responderPackets[row]!;
  const bytesOut = batch.originatorBytes[row]!;
  const bytesBack = batch.responderBytes[row]!;
  return (
    startUs >= EARLIEST_US &&
    endUs <= LATEST_US &&
    endUs >= startUs &&
    endUs - startUs <= LONGEST_US &&
    batch.originatorAddress[row]! < addresses &&
    batch.responderAddress[row]! < addresses &&
    batch.scope[row]! < scopes &&
    batch.outcome[row]! < OUTCOMES.length &&
    batch.evidence[row]! < EVIDENCE.length &&
    packetsOut >= 0 &&
    packetsBack >= 0 &&
    bytesOut >= 0 &&
    bytesBack >= 0 &&
    packetsOut + packetsBack + bytesOut + bytesBack <= Number.MAX_SAFE_INTEGER
  );
}

/** The rows of a batch that can be, ascending. */
export function goodRows(batch: FlowBatch): Uint32Array {
  const addresses = batch.addressFamily.length;
  const scopes = batch.scopes.length;
  const rows = new Uint32Array(batch.length);
  let count = 0;
  for (let row = 0; row < batch.length; row++) {
    if (isGood(batch, row, addresses, scopes)) rows[count++] = row;
  }
  return rows.subarray(0, count);
}
