import { existsSync } from "node:fs";
import type { ReplayedEdge, ReplayResult } from "../analyzer/replay/replay.js";
import { replayStore } from "../analyzer/replay/replay-store.js";
import { formatTimeUs } from "../model/time-window.js";
import { EXIT, Failure } from "./failure.js";
import { progressOn } from "./progress.js";
import { readInventory } from "./read-inventory.js";
import { readPolicy } from "./read-policy.js";
import type { ReplayOptions } from "./verbs/replay.js";

const count = (value: number, noun: string) => `${value.toLocaleString("en")} ${noun}${value === 1 ? "" : "s"}`;

function edgeLine(edge: ReplayedEdge): string {
  const what = `${edge.client} > ${edge.server} ${edge.protocol}/${edge.port}`;
  const seen = `${count(edge.flows, "flow")} in ${count(edge.windows, "hour")}, last ${formatTimeUs(edge.lastSeenUs)}`;
  return `  ${what}: ${seen}; ${edge.reason}\n`;
}

function formatReplay(result: ReplayResult): string {
  const denied = result.edges.filter((edge) => !edge.isAllowed && edge.flows > 0);
  const allowed = result.edges.filter((edge) => edge.isAllowed && edge.flows > 0);
  const noise = result.edges.filter((edge) => !edge.isAllowed && edge.flows === 0);
  return [
    `replayed         ${count(result.conversationWindows, "conversation window")}\n`,
    `allowed          ${count(result.allowedFlows, "flow")} on ${count(allowed.length, "edge")}\n`,
    `would be denied  ${count(result.deniedFlows, "flow")} on ${count(denied.length, "edge")}\n`,
    ...denied.map(edgeLine),
    `failed anyway    ${count(noise.length, "edge")} of attempts that nobody answered\n`,
    `rules            ${count(result.rules.length - result.unusedRules.length, "rule")} used, ${result.unusedRules.length} not\n`,
    ...result.unusedRules.map((id) => `  unused: ${id}\n`),
  ].join("");
}

export async function replay(options: ReplayOptions): Promise<void> {
  if (!existsSync(options.store)) {
    throw new Failure(`Cannot open store "${options.store}": there is no such file`, EXIT.input);
  }
  const progress = progressOn(process.stderr);
  const result = await replayStore(
    options.store,
    readPolicy(options.policy),
    {
      ...(options.from === undefined ? {} : { fromUs: options.from }),
      ...(options.to === undefined ? {} : { untilUs: options.to }),
    },
    options.inventory === undefined ? undefined : readInventory(options.inventory),
    (share) => progress.show(`replaying: ${Math.floor(100 * share)} %`),
  );
  progress.end();
  process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : formatReplay(result));
  if (result.deniedFlows > 0) process.exitCode = EXIT.no;
}
