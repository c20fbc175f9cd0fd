import type { Inventory } from "../../model/workload.js";
import { activeUnits } from "./evidence.js";
import type { History } from "./history.js";
import { type Learned, learn } from "./learn.js";
import type { DiscoveryOptions } from "./options.js";
import { permitter } from "./permits.js";

const CUTS = 3;
const RESAMPLES = 400;
const SAFETY = 2; // covered every split of the networks on which this was measured

/** What rules learned from the past would have done to the traffic that came next. */
export interface Backtest {
  readonly cuts: number;
  readonly tested: number; // conversation windows after the worst cut
  readonly denied: number; // of these, good ones the rules would have denied
  readonly upper: number; // twice the 95 % upper bound of the worst cut's share, at most 1
}

/** A small generator with a fixed seed (mulberry32): the bootstrap is part of a pure function. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Block {
  readonly tested: number;
  readonly denied: number;
}

/** 95th percentile of the denied share over resampled units. */
function upperShare(blocks: readonly Block[]): number {
  const random = seeded(1);
  const shares: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) {
    let all = 0;
    let denied = 0;
    for (let j = 0; j < blocks.length; j++) {
      const block = blocks[Math.floor(random() * blocks.length)] as Block;
      all += block.tested;
      denied += block.denied;
    }
    if (all > 0) shares.push(denied / all);
  }
  shares.sort((a, b) => a - b);
  return shares[Math.ceil(0.95 * shares.length) - 1] ?? 1;
}

/**
 * Walk-forward: the units are split in four quarters; rules are learned from the first one, two and three of them and
 * asked about all good conversation windows of the quarter after. The worst of the three answers counts, doubled, and never
 * less than what so many windows can prove.
 * @returns `undefined` with fewer than eight units, where a quarter would be no test
 */
export function backtest(
  pastOf: (until: number) => readonly History[], // histories as they stood before a unit
  full: Learned,
  inventory: Inventory,
  options: DiscoveryOptions,
): Backtest | undefined {
  const { units, admission } = full;
  if (units.count < 8) return undefined;
  const horizon = Math.floor(units.count / 4);
  let worst: Backtest | undefined;
  let allTested = 0;
  for (let back = CUTS; back >= 1; back--) {
    const cut = units.count - back * horizon;
    const past = learn(pastOf(cut), inventory, units, options);
    const isPermitted = permitter(past);
    const tested = new Array<number>(horizon).fill(0);
    const denied = new Array<number>(horizon).fill(0);
    for (const { history } of admission.admitted) {
      const future = activeUnits(history).filter((unit) => unit >= cut && unit < cut + horizon);
      if (future.length === 0) continue;
      const isDenied = !isPermitted(history);
      for (const unit of future) {
        tested[unit - cut] = (tested[unit - cut] as number) + 1;
        if (isDenied) denied[unit - cut] = (denied[unit - cut] as number) + 1;
      }
    }
    const blocks = tested.map((count, i): Block => ({ tested: count, denied: denied[i] as number }));
    const result = {
      cuts: CUTS,
      tested: tested.reduce((sum, count) => sum + count, 0),
      denied: denied.reduce((sum, count) => sum + count, 0),
      upper: SAFETY * upperShare(blocks),
    };
    allTested += result.tested;
    if (worst === undefined || result.upper > worst.upper) worst = result;
  }
  if (worst === undefined) return undefined;
  // Rule of three: even n good windows without a denial prove no more than a share of 3/n.
  return { ...worst, upper: Math.min(1, Math.max(worst.upper, allTested === 0 ? 1 : (SAFETY * 3) / allTested)) };
}
