// npm run lab -- --minutes N --out DIR: a small company of real programs, captured, with its inventory and its truth.
import { copyFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeFolder } from "../../cli/make-folder.js";
import { formatInventory } from "../../model/inventory-format.js";
import { countPackets } from "./capture.js";
import { HOSTS } from "./company.js";
import { liveADay } from "./day.js";
import { labInventory } from "./inventory.js";
import { Lab } from "./lab.js";
import { requireLab } from "./requirements.js";
import { LabEnvironmentError } from "./shell.js";
import { formatTruth } from "./truth.js";

const USAGE = `usage: npm run lab -- [--minutes N] --out DIR
  Builds a small company of real programs in network namespaces (root), lets it work for N minutes (default 4, at least 1),
  and writes DIR/lab.pcap, DIR/inventory.yaml and DIR/truth.tsv.
  example: sudo npm run lab -- --minutes 4 --out lab-out
  exit status: 0 done, 1 an intended edge did not occur, 2 usage, 3 no root or a program is missing, 130 or 143 interrupted`;

function say(text: string): void {
  process.stderr.write(`lab: ${text}\n`);
}

function parseCommandLine(): { readonly minutes: number; readonly out: string } | string {
  try {
    const { values } = parseArgs({
      options: { minutes: { type: "string", default: "4" }, out: { type: "string" }, help: { type: "boolean" } },
    });
    if (values.help === true) return USAGE;
    const minutes = Number(values.minutes);
    if (!(minutes >= 1 && minutes <= 1440))
      return `Cannot run for "${values.minutes}" minutes: wanted 1 to 1440\n${USAGE}`;
    if (values.out === undefined) return `Cannot write the lab's files: wanted --out DIR\n${USAGE}`;
    return { minutes, out: values.out };
  } catch (error) {
    return `${(error as Error).message}\n${USAGE}`;
  }
}

function makeOutFolder(out: string): void {
  try {
    makeFolder(out);
  } catch (error) {
    throw new LabEnvironmentError(
      `Cannot write to "${out}": wanted a folder (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

async function main(): Promise<number> {
  const wanted = parseCommandLine();
  if (typeof wanted === "string") {
    process.stderr.write(`${wanted}\n`);
    return wanted === USAGE ? 0 : 2;
  }
  const { minutes, out } = wanted;
  const interruption = new AbortController();
  let status = 0;
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => {
      if (!interruption.signal.aborted) say(`${signal}: taking everything down`);
      status = code;
      interruption.abort();
    });
  }
  requireLab();
  makeOutFolder(out);
  const lab = await Lab.build({ capture: true, onStep: say });
  try {
    if (interruption.signal.aborted) return status;
    say(`${HOSTS.length} workloads work for ${minutes} minutes`);
    const day = await liveADay(lab, minutes, interruption.signal, say);
    const dropped = await lab.stopCapture();
    if (interruption.signal.aborted) return status;
    const file = join(out, "lab.pcap");
    copyFileSync(lab.captureFile, file);
    writeFileSync(join(out, "inventory.yaml"), formatInventory(labInventory(day.swappedAtMs)));
    writeFileSync(join(out, "truth.tsv"), formatTruth(day.truth));
    const { packets, twice } = countPackets(file);
    const allowed = day.truth.filter((row) => row.expect === "allow").length;
    say(`${packets} IP packets, ${statSync(file).size} bytes, ${dropped} dropped by the kernel, ${twice} seen twice`);
    say(`${day.calls} client calls, ${day.failures.length} failed; ${allowed} intended edges occurred`);
    for (const failure of new Set(day.failures)) say(`failed: ${failure}`);
    for (const edge of day.missing) say(`intended, but it did not occur: ${edge}`);
    say(`wrote ${out}/lab.pcap, inventory.yaml, truth.tsv`);
    return day.missing.length === 0 ? 0 : 1;
  } finally {
    await lab.remove();
    say("everything is taken down");
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = error instanceof LabEnvironmentError ? 3 : 1;
}
