import type { BatchOrigin } from "../../model/flow-batch.js";

/** Batches `first` .. `last` of one stream, all taken. Times are the ends of the newest flows in the outer two. */
export interface SequenceRange {
  readonly first: number;
  readonly last: number;
  readonly firstUs: number; // of batch `first`; NaN where no batch of the range had a flow
  readonly lastUs: number;
}

/** Batches `first` .. `last` that their collector says it will never send. */
export interface AnnouncedLoss {
  readonly first: number;
  readonly last: number;
  readonly flows: number; // in all of them
  readonly fromUs: number;
  readonly untilUs: number;
  readonly reason: string;
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
  /** What the collector said of it; `flows` is the most there can have been where some of the announced batches came. */
  readonly announced?: { readonly flows: number; readonly isWhole: boolean; readonly reason: string };
}

export interface SequenceStream {
  readonly id: number; // 0, 1, 2 ... in the order they came
  readonly collector: string;
  readonly boot: string;
  readonly bucket: number;
  ranges: SequenceRange[]; // ascending, never adjacent
  readonly losses: AnnouncedLoss[]; // in the order they were announced
}

const known = (a: number, b: number) => (Number.isNaN(a) ? b : a);

/** Two ranges that touch or overlap, the one that begins earlier first. */
function joinRanges(a: SequenceRange, b: SequenceRange): SequenceRange {
  const [end, before] = b.last >= a.last ? [b, a] : [a, b];
  return {
    first: a.first,
    last: end.last,
    firstUs: known(a.firstUs, b.firstUs),
    lastUs: known(end.lastUs, before.lastUs),
  };
}

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

  streamOf({ collector, boot, bucket }: Omit<BatchOrigin, "sequence">): SequenceStream {
    const key = JSON.stringify([collector, boot, bucket]);
    let stream = this.streams.get(key);
    if (stream === undefined) {
      stream = { id: this.streams.size, collector, boot, bucket, ranges: [], losses: [] };
      this.streams.set(key, stream);
    }
    return stream;
  }

  /** Streams by their ids. */
  all(): SequenceStream[] {
    return [...this.streams.values()];
  }

  /** Takes a range that was taken elsewhere, whatever of it is known here. */
  takeRange(origin: Omit<BatchOrigin, "sequence">, range: SequenceRange): void {
    const stream = this.streamOf(origin);
    const merged: SequenceRange[] = [];
    for (const next of [...stream.ranges, range].sort((a, b) => a.first - b.first || a.last - b.last)) {
      const last = merged.at(-1);
      if (last !== undefined && next.first <= last.last + 1) merged[merged.length - 1] = joinRanges(last, next);
      else merged.push(next);
    }
    stream.ranges = merged;
    this.changed.add(stream);
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
      range = joinRanges(before, range);
      from--;
      replaced++;
    }
    if (after !== undefined && after.first - 1 === sequence) {
      range = joinRanges(range, after);
      replaced++;
    }
    ranges.splice(from, replaced, range);
    this.changed.add(stream);
  }

  /** Notes a loss that a collector announces. @returns Whether it is news. */
  lose(origin: Omit<BatchOrigin, "sequence">, loss: AnnouncedLoss): boolean {
    const { losses } = this.streamOf(origin);
    if (losses.some(({ first, last }) => first === loss.first && last === loss.last)) return false;
    losses.push(loss);
    return true;
  }

  /** Streams that changed since the last call, with all their ranges. */
  drainChanged(): SequenceStream[] {
    const drained = [...this.changed];
    this.changed.clear();
    return drained;
  }

  /**
   * What is missing between the batches taken, before the first one (sequences begin at 0), and what a collector said
   * would never come. A batch that came all the same is not missing, whatever was said of it.
   */
  holes(): SequenceHole[] {
    return [...this.streams.values()].flatMap(holesOf);
  }
}

function holesOf({ collector, boot, bucket, ranges, losses }: SequenceStream): SequenceHole[] {
  const holes: SequenceHole[] = [];
  const stream = { collector, boot, bucket };
  // A loss that has become longer is told again: the longer one first, and the rest of the shorter one is nothing.
  const announced = [...losses].sort((a, b) => a.first - b.first || b.last - a.last);
  let reached = 0;
  /** Tells of the batches `first` .. `last`, none of which was taken. */
  const miss = (first: number, last: number, fromUs: number, untilUs: number) => {
    let next = first;
    for (const loss of announced) {
      const from = Math.max(loss.first, next);
      const until = Math.min(loss.last, last);
      if (from > until) continue;
      if (from > next) holes.push({ ...stream, first: next, last: from - 1, fromUs, untilUs });
      const isWhole = from === loss.first && until === loss.last;
      const { flows, reason } = loss;
      const span = { fromUs: loss.fromUs, untilUs: loss.untilUs };
      holes.push({ ...stream, first: from, last: until, ...span, announced: { flows, isWhole, reason } });
      next = until + 1;
    }
    if (next <= last) holes.push({ ...stream, first: next, last, fromUs, untilUs });
  };
  let reachedUs = Number.NaN;
  for (const range of ranges) {
    if (range.first > reached) {
      const fromUs = known(reachedUs, range.firstUs);
      const untilUs = known(range.firstUs, reachedUs);
      miss(reached, range.first - 1, Math.min(fromUs, untilUs), Math.max(fromUs, untilUs));
    }
    reached = range.last + 1;
    reachedUs = known(range.lastUs, reachedUs);
  }
  const last = Math.max(-1, ...losses.map((loss) => loss.last));
  if (last >= reached) miss(reached, last, reachedUs, reachedUs);
  return holes;
}
