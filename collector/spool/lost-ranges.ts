import { FLOW_LOSS_VERSION, type FlowLoss } from "../../model/flow-loss.js";
import type { BatchSummary } from "../encoded-batch.js";

/** Losses in as few ranges as they make: what it holds grows with streams and interruptions, not with batches. */
export class LostRanges {
  readonly #losses = new Map<string, FlowLoss[]>(); // by stream and reason, in order of addition

  constructor(losses: readonly FlowLoss[] = []) {
    for (const loss of losses) this.addLoss(loss);
  }

  add({ origin, flows, fromUs, untilUs }: BatchSummary, reason: FlowLoss["reason"]): void {
    const { collector, boot, bucket, sequence } = origin;
    const range = { collector, boot, bucket, first: sequence, last: sequence };
    this.addLoss({ version: FLOW_LOSS_VERSION, ...range, flows, fromUs, untilUs, reason });
  }

  /** Adds a loss that goes on after an earlier one, is a longer telling of it, or stands apart. */
  addLoss(loss: FlowLoss): void {
    const key = keyOf(loss);
    const losses = this.#losses.get(key) ?? [];
    this.#losses.set(key, losses);
    const same = losses.findIndex(({ first }) => first === loss.first);
    const before = losses.findIndex(({ last }) => last + 1 === loss.first);
    if (same >= 0) losses[same] = (losses[same] as FlowLoss).last < loss.last ? loss : (losses[same] as FlowLoss);
    else if (before >= 0) losses[before] = joined(losses[before] as FlowLoss, loss);
    else losses.push(loss);
  }

  /** Whether exactly this is among them, not a longer telling of it. */
  has(loss: FlowLoss): boolean {
    return this.#losses.get(keyOf(loss))?.some(isSameRange(loss)) === true;
  }

  /** Takes out a loss that is told, unless it has become longer since. */
  forget(loss: FlowLoss): void {
    const key = keyOf(loss);
    const left = this.#losses.get(key)?.filter((other) => !isSameRange(loss)(other)) ?? [];
    if (left.length > 0) this.#losses.set(key, left);
    else this.#losses.delete(key);
  }

  all(): FlowLoss[] {
    return [...this.#losses.values()].flat();
  }
}

const keyOf = ({ collector, boot, bucket, reason }: FlowLoss) => JSON.stringify([collector, boot, bucket, reason]);

const isSameRange = (a: FlowLoss) => (b: FlowLoss) => a.first === b.first && a.last === b.last;

function joined(a: FlowLoss, b: FlowLoss): FlowLoss {
  // A batch without flows has no times.
  const fromUs = a.flows === 0 ? b.fromUs : b.flows === 0 ? a.fromUs : Math.min(a.fromUs, b.fromUs);
  return { ...a, last: b.last, flows: a.flows + b.flows, fromUs, untilUs: Math.max(a.untilUs, b.untilUs) };
}
