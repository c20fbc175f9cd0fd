import type { FlowBatch } from "../../model/flow-batch.js";

const ALIGNMENT = 8;

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;
type ColumnClass = new (buffer: ArrayBuffer, offset: number, length: number) => Column;

const aligned = (bytes: number) => (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

/**
 * The same batches with all their columns in one piece of memory, which can be handed to another thread without touching the
 * caller's. A buffer for each column would make the hand-over and the memory's collection dearer than the copy.
 */
export function packBatches(batches: readonly FlowBatch[]): { batches: FlowBatch[]; memory: ArrayBuffer } {
  let size = 0;
  for (const batch of batches) {
    for (const value of Object.values(batch)) if (ArrayBuffer.isView(value)) size += aligned(value.byteLength);
  }
  const memory = Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer; // all of it is written over, but for the gaps
  let offset = 0;
  const packed = batches.map((batch) => {
    const copy: Record<string, unknown> = { ...batch };
    for (const [name, value] of Object.entries(batch)) {
      if (!ArrayBuffer.isView(value)) continue;
      const column = value as unknown as Column;
      const own = new (column.constructor as ColumnClass)(memory, offset, column.length);
      own.set(column);
      copy[name] = own;
      offset += aligned(column.byteLength);
    }
    return copy as unknown as FlowBatch;
  });
  return { batches: packed, memory };
}
