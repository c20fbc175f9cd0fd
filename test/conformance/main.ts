import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Area, type AreaCount, isForReview, WANTED_SHARE } from "./area.js";
import { capturesArea } from "./captures.js";
import { discoveryArea } from "./discovery.js";
import { namesArea } from "./names.js";
import { policiesArea } from "./policies.js";

/** Every area of the conformance run; add yours here. */
const AREAS: readonly Area[] = [capturesArea, discoveryArea, namesArea, policiesArea];

const USAGE = `Usage: npm run conformance -- [--data DIR] [AREA ...]

Compares Portolan with what other programs computed from the same input, and lists every disagreement.

  --data DIR   folder with the third-party data (default: ../shared/data beside the repository)
  --help       this text

Areas: ${AREAS.map((area) => area.name).join(", ")} (default: all)
Exit code: 0 each area agrees in ${100 * WANTED_SHARE} % of its undisputed comparisons, 1 one does not, 2 bad usage.
Example: npm run conformance -- --data ../shared/data captures
`;

interface Arguments {
  readonly dataDir: string;
  readonly areas: readonly Area[];
}

function parseArguments(args: readonly string[]): Arguments | string {
  let dataDir = join(fileURLToPath(new URL("../../..", import.meta.url)), "..", "shared", "data");
  const areas: Area[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    const value = args[i + 1];
    if (arg === "--data" && value !== undefined) {
      dataDir = value;
      i++;
      continue;
    }
    const area = AREAS.find(({ name }) => name === arg);
    if (area === undefined) return `Cannot use argument "${arg}": wanted --data DIR or one of the areas`;
    areas.push(area);
  }
  if (!existsSync(dataDir)) return `Cannot read data folder "${dataDir}": it does not exist`;
  return { dataDir, areas: areas.length === 0 ? AREAS : areas };
}

function undisputed(counts: readonly AreaCount[]): { agreed: number; compared: number } {
  const rows = counts.filter((count) => !isForReview(count));
  return {
    agreed: rows.reduce((sum, count) => sum + count.passed, 0),
    compared: rows.reduce((sum, count) => sum + count.total, 0),
  };
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(USAGE);
    return 0;
  }
  const parsed = parseArguments(args);
  if (typeof parsed === "string") {
    process.stderr.write(`${parsed}\n`);
    return 2;
  }
  let passed = 0;
  let failed = 0;
  for (const area of parsed.areas) {
    const result = await area.run(parsed.dataDir);
    if (result === undefined) {
      process.stdout.write(`${area.name}: no data in ${parsed.dataDir}\n`);
      continue;
    }
    for (const { subject, category, detail } of result.disagreements) {
      process.stdout.write(`${area.name}: ${category}: ${subject}: ${detail}\n`);
    }
    const byCategory = new Map<string, number>();
    for (const { category } of result.disagreements) byCategory.set(category, (byCategory.get(category) ?? 0) + 1);
    process.stdout.write(`\n${area.name}\n`);
    for (const count of result.counts) {
      process.stdout.write(`  ${count.what.padEnd(40)} ${count.passed}/${count.total}\n`);
    }
    for (const [category, count] of [...byCategory].sort()) process.stdout.write(`  not: ${category} ${count}\n`);
    const { agreed, compared } = undisputed(result.counts);
    const isPassed = agreed >= WANTED_SHARE * compared;
    if (isPassed) passed++;
    else failed++;
    const share = compared === 0 ? "nothing to compare" : `${((100 * agreed) / compared).toFixed(1)} %`;
    process.stdout.write(
      `  ${isPassed ? "passed" : "FAILED"}: ${agreed} of ${compared} undisputed agree, ${share}\n\n`,
    );
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
