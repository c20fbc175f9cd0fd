import { HOUR_US } from "../../model/time-window.js";
import type { Inventory } from "../../model/workload.js";
import type { ProposalState, ReadinessGate, SensorGap } from "../proposal.js";
import { backtest } from "./backtest.js";
import { activeUnits } from "./evidence.js";
import type { History } from "./history.js";
import type { Learned } from "./learn.js";
import type { DiscoveryOptions } from "./options.js";
import { blockUnits, countIncidences, sampleCoverage, unseenKinds } from "./species.js";

const MIN_UNITS = 6;
const MIN_SPAN_US = HOUR_US;
const DAY_US = 24 * HOUR_US;
const COVERAGE_WANTED = 0.99;
const BLOCK_WIDTHS = [6, 8, 12, 24, 48]; // units

export interface Readiness {
  readonly state: ProposalState;
  readonly reason: string;
  readonly gates: readonly ReadinessGate[];
}

const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`;
const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function unitName({ units }: Learned): string {
  return units.widthUs === HOUR_US ? "hour" : "minute";
}

function spanGate(learned: Learned): ReadinessGate {
  const spanUs = learned.units.untilUs - learned.units.fromUs;
  const value =
    spanUs >= DAY_US
      ? plural(Math.round((10 * spanUs) / DAY_US) / 10, "day")
      : `${(spanUs / HOUR_US).toFixed(1)} hours`;
  return {
    name: "observation time",
    isMet: spanUs >= 2 * DAY_US,
    value: `${value} in ${plural(learned.units.count, unitName(learned))}`,
    wanted: "two whole days, so that every daily habit was seen twice",
  };
}

/**
 * Coverage by species estimators over blocks of at least six units: single windows are too alike (traffic is bursty), so
 * that they under-predict what is new. The smallest width is taken that leaves six blocks and whose doubling moves the
 * coverage by less than a quarter of what is missing.
 */
function coverageGate(learned: Learned): ReadinessGate {
  const wanted = `${percent(COVERAGE_WANTED)} of future conversation windows known, over at least ${MIN_UNITS} blocks`;
  const name = "coverage";
  const active = learned.admission.admitted.map(({ history }) => activeUnits(history));
  const estimate = (width: number) =>
    countIncidences(
      active.map((units) => blockUnits(units, width)),
      Math.ceil(learned.units.count / width),
    );
  const fits = BLOCK_WIDTHS.filter((width) => Math.floor(learned.units.count / width) >= MIN_UNITS);
  const width = fits.find((candidate) => {
    const now = 1 - sampleCoverage(estimate(candidate));
    const doubled = 1 - sampleCoverage(estimate(2 * candidate));
    return Math.abs(doubled - now) <= 0.25 * Math.max(now, 1 - COVERAGE_WANTED);
  });
  const used = width ?? fits.at(-1);
  if (used === undefined) {
    const have = Math.floor(learned.units.count / (BLOCK_WIDTHS[0] as number));
    return {
      name,
      isMet: false,
      value: `only ${plural(have, "block")} of ${BLOCK_WIDTHS[0]} ${unitName(learned)}s`,
      wanted,
    };
  }
  const counts = estimate(used);
  const coverage = sampleCoverage(counts);
  const isUncertain = counts.once > 0 && counts.twice === 0;
  const value =
    `${percent(coverage)} over ${counts.samples} blocks of ${used} ${unitName(learned)}s; ` +
    `at least ${Math.round(unseenKinds(counts))} of ${counts.kinds + Math.round(unseenKinds(counts))} conversations not seen yet` +
    `${isUncertain ? "; none was seen exactly twice, so this cannot be certified" : ""}`;
  return { name, isMet: coverage >= COVERAGE_WANTED && !isUncertain, value, wanted };
}

function backtestGate(
  pastOf: (until: number) => readonly History[],
  learned: Learned,
  inventory: Inventory,
  options: DiscoveryOptions,
): ReadinessGate {
  const name = "backtest";
  const wanted = `at most ${percent(options.falseDenyBudget)} of good traffic denied, with a safety factor of 2`;
  const result = backtest(pastOf, learned, inventory, options);
  if (result === undefined) {
    return {
      name,
      isMet: false,
      value: `only ${plural(learned.units.count, unitName(learned))}, 8 are the least`,
      wanted,
    };
  }
  const value =
    `rules learned from the past would have denied ${result.denied} of ${result.tested} conversation windows that followed ` +
    `(worst of ${result.cuts} cuts), doubled upper bound ${percent(result.upper)}`;
  return { name, isMet: result.upper <= options.falseDenyBudget, value, wanted };
}

function noveltyGate(learned: Learned, options: DiscoveryOptions): ReadinessGate {
  const last = Math.max(1, Math.floor(learned.units.count / 4));
  const start = learned.units.count - last;
  let sightings = 0;
  let fresh = 0;
  for (const { history } of learned.admission.admitted) {
    const active = activeUnits(history);
    const recent = active.filter((unit) => unit >= start).length;
    sightings += recent;
    if ((active[0] as number) >= start) fresh += recent;
  }
  const share = sightings === 0 ? 1 : fresh / sightings;
  return {
    name: "novelty",
    isMet: learned.units.count >= MIN_UNITS && share <= options.falseDenyBudget,
    value: `${percent(share)} of the conversation windows in the last ${plural(last, unitName(learned))} were of conversations never seen before`,
    wanted: `at most ${percent(options.falseDenyBudget)} in the last quarter`,
  };
}

function sensorGate(gaps: readonly SensorGap[]): ReadinessGate {
  const unknown = gaps.filter(({ lost }) => lost === "unknown").length;
  const lost = gaps.reduce((sum, gap) => sum + (gap.lost === "unknown" ? 0 : gap.lost), 0);
  const value =
    gaps.length === 0
      ? "no loss reported"
      : `${plural(gaps.length, "gap")}, ${plural(lost, "packet")} lost${unknown > 0 ? ` and ${plural(unknown, "gap")} of unknown size` : ""}`;
  return { name: "sensors", isMet: gaps.length === 0, value, wanted: "no gap in what the sensors saw" };
}

function quarantineGate(learned: Learned): ReadinessGate {
  const waiting = learned.admission.rejected.filter(({ kind }) => kind === "quarantine").length;
  return {
    name: "quarantine",
    isMet: waiting === 0,
    value: waiting === 0 ? "empty" : `${plural(waiting, "conversation")} to decide on`,
    wanted: "nothing left for a person to decide",
  };
}

function directionGate(learned: Learned, options: DiscoveryOptions): ReadinessGate {
  const unsure = learned.admission.rejected.filter(({ kind }) => kind === "direction" || kind === "midstream").length;
  const sure = learned.admission.admitted.length;
  const share = sure + unsure === 0 ? 0 : sure / (sure + unsure);
  return {
    name: "direction",
    isMet: sure > 0 && share >= options.directionConfidence,
    value: `${percent(share)} of ${sure + unsure} conversations have a known client and server`,
    wanted: `${percent(options.directionConfidence)} or more`,
  };
}

function tooLittle(learned: Learned): string | undefined {
  const { units, admission } = learned;
  if (units.count === 0) return "No traffic was seen at all.";
  if (admission.admitted.length === 0) return "No conversation was seen that could become a rule.";
  const spanUs = units.untilUs - units.fromUs;
  if (spanUs < MIN_SPAN_US || units.count < MIN_UNITS) {
    const minutes = Math.max(1, Math.round(spanUs / 60_000_000));
    return (
      `Only ${plural(minutes, "minute")} were watched, in ${plural(units.count, "window")} of one ${unitName(learned)}; an hour and ${MIN_UNITS} windows ` +
      `are the least from which anything can be said about what was missed. The rules below are what was seen, for review.`
    );
  }
  return undefined;
}

/**
 * Whether enough was seen to put the proposal before a reviewer; every condition is a gate with its number.
 * @param pastOf the histories as they stood before a unit, for the backtest
 */
export function judgeReadiness(
  pastOf: (until: number) => readonly History[],
  learned: Learned,
  gaps: readonly SensorGap[],
  inventory: Inventory,
  options: DiscoveryOptions,
): Readiness {
  const gates = [
    spanGate(learned),
    coverageGate(learned),
    backtestGate(pastOf, learned, inventory, options),
    noveltyGate(learned, options),
    sensorGate(gaps),
    quarantineGate(learned),
    directionGate(learned, options),
  ];
  const lack = tooLittle(learned);
  if (lack !== undefined) return { state: "not-enough-data", reason: lack, gates };
  const open = gates.filter(({ isMet }) => !isMet).map(({ name }) => name);
  return open.length === 0
    ? { state: "ready-for-review", reason: "Every gate is met.", gates }
    : {
        state: "learning",
        reason: `${plural(open.length, "gate")} of ${gates.length} not met: ${open.join(", ")}.`,
        gates,
      };
}
