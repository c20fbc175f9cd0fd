import type { FlowLoss } from "../../model/flow-loss.js";
import { HOUR_US } from "../../model/time-window.js";
import type { SensorStatus } from "../explorer.js";
import type { SensorGap } from "../proposal.js";
import type { SequenceHole } from "./batch-ledger.js";
import { type ClockDifference, clockDifferences } from "./clock-differences.js";
import type { Database } from "./database.js";
import { lossesOfLogs, type StoredLoss } from "./log-positions.js";
import { CLOCK_SKEW_US } from "./window-query.js";

/** Stands for the collector of a gap that may hold observations of any of them. */
const ANY_COLLECTOR = "*";

interface Loss {
  readonly collector: string;
  readonly hourUs: number;
  readonly kind: string;
  readonly lost: number;
  readonly fromUs: number;
  readonly untilUs: number;
}

async function lossesOf(database: Database): Promise<Loss[]> {
  const rows = await database.rows(
    "SELECT collector, hour_us, kind, sum(lost), min(from_us), max(until_us) FROM losses GROUP BY collector, hour_us, kind ORDER BY collector, kind, hour_us",
  );
  return rows.map(([collector, hour, kind, lost, from, until]) => ({
    collector: database.collectors.texts[Number(collector)] as string,
    hourUs: Number(hour),
    kind: String(kind),
    lost: Number(lost),
    fromUs: Number(from),
    untilUs: Number(until),
  }));
}

/** Collectors in the order of their names. A single loss that nobody could count makes the sum unknown. */
export async function sensorsOf(database: Database): Promise<SensorStatus[]> {
  const losses = await lossesOf(database);
  const differences = await clockDifferences(database);
  const sensors = [...database.sensors].map(([number, { firstUs, lastUs, batches, flows }]): SensorStatus => {
    const collector = database.collectors.texts[number] as string;
    const own = losses.filter((loss) => loss.collector === collector);
    const isUnknown = own.some(({ kind }) => kind === "unknown");
    const dropped = own.filter(({ kind }) => kind === "dropped").reduce((sum, { lost }) => sum + lost, 0);
    return {
      collector,
      firstSeenUs: Number.isNaN(firstUs) ? 0 : firstUs,
      lastSeenUs: Number.isNaN(lastUs) ? 0 : lastUs,
      batches,
      flows,
      dropped: isUnknown ? "unknown" : dropped,
      ...clocksOf(collector, differences),
    };
  });
  return sensors.sort((a, b) => (a.collector < b.collector ? -1 : 1));
}

function clocksOf(collector: string, differences: readonly ClockDifference[]): Pick<SensorStatus, "clocks"> {
  const clocks = differences.flatMap(({ collector: one, other, differenceUs, flows }) => {
    if (one === collector) return { other, aheadUs: differenceUs, flows };
    return other === collector ? { other: one, aheadUs: -differenceUs, flows } : [];
  });
  return clocks.length === 0 ? {} : { clocks };
}

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

function reasonOf({ kind, lost }: Loss): string {
  switch (kind) {
    case "dropped":
      return "the kernel or the interface dropped packets before they could be read";
    case "malformed":
      return `${counted(lost, "record was", "records were")} damaged and left out`;
    case "closed-twice":
      return `${counted(lost, "batch", "batches")} came to two stores that had closed their hours before they were merged, and may be counted twice`;
    case "late":
      return `${counted(lost, "flow", "flows")} came after their hour was closed and are counted without comparing collectors`;
    default:
      return "the source cannot tell how many packets it missed";
  }
}

const knownTime = (timeUs: number) => (Number.isNaN(timeUs) ? 0 : timeUs);

function gapOf({ collector, boot, bucket, first, last, fromUs, untilUs, announced }: SequenceHole): SensorGap {
  const which = `${first === last ? `batch ${first}` : `batches ${first} to ${last}`} of start "${boot}", bucket ${bucket}`;
  const gap = { collector, fromUs: knownTime(fromUs), untilUs: knownTime(untilUs), lost: "unknown" as const };
  if (announced === undefined) return { ...gap, reason: `${which}, never arrived` };
  const { flows, isWhole, reason } = announced;
  const size = `${isWhole ? "" : "at most "}${counted(flows, "flow", "flows")}`;
  const lostFlows = isWhole ? { lostFlows: flows } : {};
  return { ...gap, ...lostFlows, reason: `${which}, ${size}: ${ANNOUNCED_REASONS[reason] ?? reason}` };
}

/** Why collectors give up batches, see model/flow-loss.ts. */
const ANNOUNCED_REASONS: Readonly<Record<string, string>> = {
  "spool-full": "given up by the collector, whose spool was full",
  "disk-full": "given up by the collector, whose disk took no more",
  "memory-full": "given up by the collector, whose disk was so slow that its memory filled up",
  damaged: "damaged on the collector's disk",
  refused: "refused by the broker",
} satisfies Record<FlowLoss["reason"], string>;

function gapOfLog({ topic, partition, from, until, fromUs, untilUs }: StoredLoss): SensorGap {
  const what =
    until < from
      ? `the log ended at ${until} where ${from} was wanted: its end was lost`
      : `messages ${from} to ${until - 1n} were deleted before they were read`;
  return {
    collector: ANY_COLLECTOR,
    fromUs: knownTime(fromUs),
    untilUs: knownTime(Number.isNaN(untilUs) ? fromUs : untilUs),
    lost: "unknown",
    reason: `${topic}, partition ${partition}: ${what}`,
  };
}

/** Clocks too far apart to bring their observations together: nothing is missing, but flows that both saw count twice. */
function gapOfClocks(database: Database, { collector, other, differenceUs, flows }: ClockDifference): SensorGap[] {
  if (Math.abs(differenceUs) <= CLOCK_SKEW_US) return [];
  const totals = database.sensors.get(database.collectors.numberOf(collector));
  const seconds = (Math.abs(differenceUs) / 1e6).toFixed(1);
  const relation = `${seconds} s ${differenceUs > 0 ? "ahead of" : "behind"} that of ${other}`;
  return [
    {
      collector,
      fromUs: knownTime(totals?.firstUs ?? Number.NaN),
      untilUs: knownTime(totals?.lastUs ?? Number.NaN),
      lost: 0,
      reason: `its clock is ${relation}, by ${counted(flows, "flow", "flows")}: what both saw is counted twice`,
    },
  ];
}

/** Losses of hours in a row as one gap, and every run of batches that never came. Sorted by collector and time. */
export async function gapsOf(database: Database): Promise<SensorGap[]> {
  const runs: Loss[] = [];
  for (const loss of await lossesOf(database)) {
    const last = runs.at(-1);
    const isNext =
      last !== undefined &&
      last.collector === loss.collector &&
      last.kind === loss.kind &&
      loss.hourUs - last.hourUs === HOUR_US;
    if (isNext) {
      runs[runs.length - 1] = {
        ...loss,
        lost: last.lost + loss.lost,
        fromUs: Math.min(last.fromUs, loss.fromUs),
        untilUs: Math.max(last.untilUs, loss.untilUs),
      };
    } else runs.push(loss);
  }
  const gaps = runs.map(
    (loss): SensorGap => ({
      collector: loss.collector,
      fromUs: loss.fromUs,
      untilUs: loss.untilUs,
      lost: loss.kind === "dropped" ? loss.lost : loss.kind === "late" || loss.kind === "closed-twice" ? 0 : "unknown",
      reason: reasonOf(loss),
    }),
  );
  for (const hole of database.ledger.holes()) gaps.push(gapOf(hole));
  for (const loss of await lossesOfLogs(database.connection)) gaps.push(gapOfLog(loss));
  for (const difference of await clockDifferences(database)) gaps.push(...gapOfClocks(database, difference));
  return gaps.sort((a, b) => {
    if (a.collector !== b.collector) return a.collector < b.collector ? -1 : 1;
    return a.fromUs - b.fromUs || a.untilUs - b.untilUs || (a.reason < b.reason ? -1 : 1);
  });
}
