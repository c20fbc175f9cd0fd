import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, renderTable } from "./bench.js";
import { captureBench } from "./capture-bench.js";
import { codecBench } from "./codec-bench.js";
import { discoveryBench } from "./discovery-bench.js";
import { enforcerBench } from "./enforcer-bench.js";
import { explorerBench } from "./explorer-bench.js";
import { generatorBench } from "./generator-bench.js";
import { liveBench } from "./live-bench.js";
import { pipelineBench } from "./pipeline-bench.js";
import { policyBench } from "./policy-bench.js";
import { replayBench } from "./replay-bench.js";

/** All benches, in the order in which they run. */
const BENCHES: readonly Bench[] = [
  generatorBench,
  captureBench,
  codecBench,
  pipelineBench,
  liveBench,
  discoveryBench,
  explorerBench,
  policyBench,
  replayBench,
  enforcerBench,
];

const USAGE = `Usage: npm run bench -- [--quick] [NAME ...]

Measures each part on traffic made up for it and prints the peer's figure or the stated limit beside ours.

  --quick   small sizes and few runs: shows that it works, not how fast it is
  --help    this text

Benches:
${BENCHES.map(({ name, about }) => `  ${name.padEnd(12)}${about}`).join("\n")}

Example: npm run bench -- capture
`;

async function main(args: readonly string[]): Promise<number> {
  const isQuick = args.includes("--quick");
  const names = args.filter((arg) => arg !== "--quick");
  if (names.includes("--help")) {
    process.stdout.write(USAGE);
    return 0;
  }
  const unknown = names.find((name) => BENCHES.every((bench) => bench.name !== name));
  if (unknown !== undefined) {
    const known = BENCHES.map((bench) => bench.name).join(", ");
    process.stderr.write(`Cannot run bench "${unknown}": wanted one of ${known}\n`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "portolan-bench-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      removeFolder();
      process.exit(130);
    });
  }
  try {
    process.stdout.write(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}\n\n`);
    for (const bench of BENCHES) {
      if (names.length > 0 && !names.includes(bench.name)) continue;
      const say = (what: string) => process.stderr.write(`${bench.name}: ${what}\n`);
      for (const table of await bench.run({ isQuick, folder, say })) process.stdout.write(`${renderTable(table)}\n`);
    }
    return 0;
  } finally {
    removeFolder();
  }
}

process.exitCode = await main(process.argv.slice(2));
