import type { Sensor, SensorsAnswer } from "../../../api/contract.js";
import { bytes, count, duration, milliseconds, plural } from "../format.js";

/** What stands in a cell; `isWarning` is said by a sign as well as by colour. */
export interface Words {
  readonly text: string;
  readonly isWarning: boolean;
}

const calm = (text: string): Words => ({ text, isWarning: false });
const warning = (text: string): Words => ({ text, isWarning: true });

/** What nobody told is not zero, and not well either. */
export const UNKNOWN = "unknown";

/** The server's clock, and after how much silence it gives a sensor up. */
export type Clock = Pick<SensorsAnswer, "nowUs" | "silentAfterUs">;

/** Observers whose clocks differ more are not brought together any more. */
const CLOCKS_APART_MS = 5_000;
/** Messages are under way so long as nobody can tell from a clock that is off. */
const CLOCK_NOISE_MS = 100;
const MOST_CLOCKS = 3;
const LATE_MS = 10_000;

/** Whether it lives, as far as it told. Without heartbeats (a capture file, an old collector) nobody can say. */
export function stateWords({ heartbeat }: Sensor, { nowUs, silentAfterUs }: Clock): Words {
  if (heartbeat === undefined) return calm("sends no heartbeat");
  if (heartbeat.ended === true) return calm("ended, as it was told to");
  const silentUs = nowUs - heartbeat.atUs;
  if (silentUs > silentAfterUs) return warning(`silent for ${duration(silentUs)}`);
  const waiting = heartbeat.interfaces.filter(({ waiting }) => waiting !== undefined);
  if (waiting.length > 0) return warning(`captures nothing on ${waiting.map(({ name }) => name).join(", ")}`);
  if (heartbeat.spool?.fault !== undefined) return warning(`cannot write its spool: ${heartbeat.spool.fault}`);
  return calm(`alive, for ${duration(heartbeat.atUs - heartbeat.startedUs)}`);
}

/** Losses since it started, where it tells them; else those that came with its batches. */
export function lostWords({ stored, heartbeat }: Sensor): Words {
  const told = [...(heartbeat?.interfaces.map(({ dropped }) => dropped) ?? []), ...(stored ? [stored.dropped] : [])];
  if (told.length === 0) return calm("-");
  if (told.includes("unknown")) return warning(UNKNOWN);
  // Both tell of the same packets: the batches of all time, the heartbeat of those since the start.
  const lost = Math.max(stored?.dropped === "unknown" ? 0 : (stored?.dropped ?? 0), sum(heartbeat));
  return lost > 0 ? warning(plural(lost, "packet")) : calm("none");
}

function sum(heartbeat: Sensor["heartbeat"]): number {
  return (heartbeat?.interfaces ?? []).reduce((all, { dropped }) => all + (dropped === "unknown" ? 0 : dropped), 0);
}

export function lagWords({ heartbeat }: Sensor): Words {
  const lagMs = heartbeat?.lagMs;
  if (lagMs === undefined) return calm(UNKNOWN);
  return lagMs > LATE_MS ? warning(milliseconds(lagMs)) : calm(lagMs === 0 ? "none" : milliseconds(lagMs));
}

function clockWords(offsetMs: number, fast: string, slow: string): Words {
  const size = Math.abs(offsetMs);
  const text = `${milliseconds(size)} ${offsetMs > 0 ? fast : slow}`;
  return size > CLOCKS_APART_MS ? warning(text) : calm(text);
}

/** Its clock against the broker's, then against those of observers of the same flows, as far as they differ; the worst first. */
export function clockLines({ heartbeat, stored }: Sensor): Words[] {
  const offsetMs = heartbeat?.clockOffsetMs;
  const clocks = stored?.clocks ?? [];
  const lines: Words[] = [];
  if (offsetMs !== undefined && Math.abs(offsetMs) >= CLOCK_NOISE_MS) lines.push(clockWords(offsetMs, "fast", "slow"));
  const others = clocks
    .filter(({ aheadUs }) => Math.abs(aheadUs) >= 1000 * CLOCK_NOISE_MS)
    .sort((a, b) => Math.abs(b.aheadUs) - Math.abs(a.aheadUs));
  for (const { other, aheadUs } of others.slice(0, MOST_CLOCKS)) {
    lines.push(clockWords(aheadUs / 1000, `ahead of ${other}`, `behind ${other}`));
  }
  if (others.length > MOST_CLOCKS) lines.push(calm(`and differs from ${others.length - MOST_CLOCKS} more`));
  if (lines.length > 0) return lines;
  return [calm(offsetMs === undefined && clocks.length === 0 ? UNKNOWN : "right to 0.1 s")];
}

/** Packets that were not seen, or flows that a collector had and could not deliver. */
export function gapWords({ lost, lostFlows }: Pick<SensorsAnswer["gaps"][number], "lost" | "lostFlows">): string {
  if (lostFlows !== undefined) return plural(lostFlows, "flow");
  return lost === "unknown" ? UNKNOWN : plural(lost, "packet");
}

/** What waits on its disk for the broker, and what had to go for want of room. */
export function spoolWords({ heartbeat }: Sensor, { nowUs }: Clock): Words {
  const spool = heartbeat?.spool;
  if (spool === undefined) return calm("none told");
  const lost = spool.lostBatches === 0 ? "" : `, gave up ${plural(spool.lostFlows, "flow")}`;
  if (spool.batches === 0) return lost === "" ? calm("empty") : warning(`empty${lost}`);
  const since = spool.oldestUs === undefined ? "" : `, since ${duration(Math.max(0, nowUs - spool.oldestUs))}`;
  const text = `${plural(spool.batches, "batch", "batches")}, ${bytes(spool.bytes)}${since}${lost}`;
  return lost === "" ? calm(text) : warning(text);
}

/** `eth0 by tcpdump, 12,345 packets`, one line an interface. */
export function watchedLines({ heartbeat }: Sensor): string[] {
  return (heartbeat?.interfaces ?? []).map(
    ({ name, program, packets }) => `${name} by ${program}, ${count(packets)} ${packets === 1 ? "packet" : "packets"}`,
  );
}

/** Whether somebody should look after it now; what it lost in the past is told beside it. */
export function isTroubled(sensor: Sensor, clock: Clock): boolean {
  const said = [stateWords(sensor, clock), lagWords(sensor), ...clockLines(sensor), spoolWords(sensor, clock)];
  return said.some(({ isWarning }) => isWarning);
}
