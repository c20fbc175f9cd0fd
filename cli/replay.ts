import { existsSync } from "node:fs";
import { Command } from "commander";
import type { ReplayedEdge, ReplayResult } from "../analyzer/replay/replay.js";
import { replayStore } from "../analyzer/replay/replay-store.js";
import { formatTimeUs } from "../model/time-window.js";
import { EXIT, Failure } from "./failure.js";
import { progressOn } from "./progress.js";
import { readInventory } from "./read-inventory.js";
import { readPolicy } from "./read-policy.js";
import { timeOption } from "./time-option.js";

interface ReplayOptions {
  readonly policy: string;
  readonly store: string;
  readonly inventory?: string;
  readonly from?: number;
  readonly to?: number;
  readonly json?: true;
}

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

export function replayCommand(): Command {
  return new Command("replay")
    .description("ask a policy about the traffic that a store remembers")
    .requiredOption("-p, --policy <file>", "policy.json")
    .requiredOption("--store <file>", "DuckDB file of analyze or run")
    .option("-i, --inventory <file>", "workloads and their addresses (default: the store's own)")
    .option("--from <time>", "RFC 3339; from the hour that holds it", timeOption)
    .option("--to <time>", "RFC 3339; up to, not including, the hours that start then", timeOption)
    .option("--json", "print every edge and rule as JSON")
    .addHelpText(
      "after",
      `
Exit codes: ${EXIT.done} nothing that was answered would be denied, ${EXIT.no} something would.

Example:
  portolan replay --policy chart/policy.json --store portolan.duckdb --from 2026-11-01T00:00:00Z`,
    )
    .action(async (options: ReplayOptions) => {
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
    });
}
