import type { BatchOrigin } from "../../model/flow-batch.js";

/** Batches `first` .. `last` of one stream, all taken. Times are the ends of the newest flows in the outer two. */
export interface SequenceRange {
  readonly first: number;
  readonly last: number;
  readonly firstUs: number; // of batch `first`; NaN where no batch of the range had a flow
  readonly lastUs: number;
}

/** A run of batches that never came. */
export interface SequenceHole {
  readonly collector: string;
  readonly boot: string;
  readonly bucket: number;
  readonly first: number;
  readonly last: number;
  readonly fromUs: number; // NaN where no time is known
  readonly untilUs: number;
}

export interface SequenceStream {
  readonly collector: string;
  readonly boot: string;
  readonly bucket: number;
  ranges: SequenceRange[]; // ascending, never adjacent
}

const known = (a: number, b: number) => (Number.isNaN(a) ? b : a);

/** How many ranges begin at or before `sequence`. */
function rangesUpTo(ranges: readonly SequenceRange[], sequence: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle] as SequenceRange).first <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Which batches have been taken, whatever order they came in. What it holds grows with the number of holes, not of
 * batches, and a hole closes by itself when its batch comes late.
 */
export class BatchLedger {
  private readonly streams = new Map<string, SequenceStream>();
  private readonly changed = new Set<SequenceStream>();

  private streamOf({ collector, boot, bucket }: Omit<BatchOrigin, "sequence">): SequenceStream {
    const key = JSON.stringify([collector, boot, bucket]);
    let stream = this.streams.get(key);
    if (stream === undefined) {
      stream = { collector, boot, bucket, ranges: [] };
      this.streams.set(key, stream);
    }
    return stream;
  }

  restore(origin: Omit<BatchOrigin, "sequence">, range: SequenceRange): void {
    const stream = this.streamOf(origin);
    stream.ranges.push(range);
    stream.ranges.sort((a, b) => a.first - b.first);
  }

  has(origin: BatchOrigin): boolean {
    const { ranges } = this.streamOf(origin);
    const before = ranges[rangesUpTo(ranges, origin.sequence) - 1];
    return before !== undefined && origin.sequence <= before.last;
  }

  /** Takes a batch that `has` does not know yet; `timeUs` is NaN for a batch without flows. */
  take(origin: BatchOrigin, timeUs: number): void {
    const stream = this.streamOf(origin);
    const { ranges } = stream;
    const { sequence } = origin;
    const at = rangesUpTo(ranges, sequence);
    let range: SequenceRange = { first: sequence, last: sequence, firstUs: timeUs, lastUs: timeUs };
    const before = ranges[at - 1];
    const after = ranges[at];
    let from = at;
    let replaced = 0;
    if (before !== undefined && before.last + 1 === sequence) {
      const { first, firstUs, lastUs } = before;
      range = { ...range, first, firstUs: known(firstUs, timeUs), lastUs: known(timeUs, lastUs) };
      from--;
      replaced++;
    }
    if (after !== undefined && after.first - 1 === sequence) {
      range = {
        ...range,
        last: after.last,
        firstUs: known(range.firstUs, after.firstUs),
        lastUs: known(after.lastUs, range.lastUs),
      };
      replaced++;
    }
    ranges.splice(from, replaced, range);
    this.changed.add(stream);
  }

  /** Streams that changed since the last call, with all their ranges. */
  drainChanged(): SequenceStream[] {
    const drained = [...this.changed];
    this.changed.clear();
    return drained;
  }

  /** What is missing between the batches taken, and before the first one: sequences begin at 0. */
  holes(): SequenceHole[] {
    const holes: SequenceHole[] = [];
    for (const { collector, boot, bucket, ranges } of this.streams.values()) {
      let next = 0;
      let reachedUs = Number.NaN;
      for (const range of ranges) {
        if (range.first > next) {
          const fromUs = known(reachedUs, range.firstUs);
          const untilUs = known(range.firstUs, reachedUs);
          const span = { fromUs: Math.min(fromUs, untilUs), untilUs: Math.max(fromUs, untilUs) };
          holes.push({ collector, boot, bucket, first: next, last: range.first - 1, ...span });
        }
        next = range.last + 1;
        reachedUs = known(range.lastUs, reachedUs);
      }
    }
    return holes;
  }
}
