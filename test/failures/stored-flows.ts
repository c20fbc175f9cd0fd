import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import type { PortolanProcess } from "../cli/portolan-process.js";

const run = promisify(execFile);
const ASK = "fetch(process.argv[1]).then((answer) => answer.text()).then(console.log)";

/** How many flows an analyzer has stored since its start. @param within words before a command that runs where it serves */
export async function storedFlows(analyzer: PortolanProcess, within: readonly string[]): Promise<number> {
  await analyzer.says(/explorer: http/);
  const [, url = ""] = /explorer: (http:\S+)/.exec(analyzer.errors) ?? [];
  const [command = "", ...rest] = [...within, process.execPath, "-e", ASK, `${url}metrics`];
  const { stdout } = await run(command, rest);
  return Number(/^portolan_analyzer_flows_total (\d+)$/m.exec(stdout)?.[1] ?? 0);
}

/** Resolves when it has stored as many flows as are wanted, or after `withinMs`: what is missing then is for others to say. */
export async function storesFlows(
  analyzer: PortolanProcess,
  within: readonly string[],
  least: () => number,
  withinMs: number,
): Promise<void> {
  for (const until = performance.now() + withinMs; (await storedFlows(analyzer, within)) < least(); await wait(500)) {
    assert.ok(analyzer.isRunning, analyzer.errors);
    if (performance.now() > until) return;
  }
}
