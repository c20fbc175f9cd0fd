import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Area, AreaResult, Disagreement } from "./area.js";
import { compareFlows, type Layer } from "./captures/compare-flows.js";
import { readArgus, readArkime, readIpfixprobe, readNdpi, readZeek } from "./captures/other-programs.js";
import { ourFlows } from "./captures/our-flows.js";
import { checkSuricata } from "./captures/suricata-filters.js";
import type { TupleFlow } from "./captures/tuple-flows.js";

/** More than this for a capture of a few megabytes is a hang in the making. */
const SLOW_MS = 5000;

interface Capture {
  readonly path: string; // below the data folder
  readonly kind: string;
  readonly expected: readonly string[];
  readonly isStrict: boolean; // a third program found the same tuples
  readonly areCountsStrict: boolean; // and the same packets
}

interface OtherProgram {
  readonly name: string;
  readonly layer: Layer;
  readonly isResult: (path: string) => boolean;
  readonly read: (path: string) => TupleFlow[];
}

const OTHER_PROGRAMS: readonly OtherProgram[] = [
  { name: "zeek", layer: "all", isResult: (path) => path.endsWith("/conn.log"), read: readZeek },
  { name: "arkime", layer: "inner", isResult: (path) => path.endsWith(".expected-sessions.json"), read: readArkime },
  { name: "ndpi", layer: "outer", isResult: (path) => path.endsWith(".expected-flows.out"), read: readNdpi },
  { name: "argus", layer: "outer", isResult: (path) => path.endsWith(".argus.csv"), read: readArgus },
  { name: "ipfixprobe", layer: "outer", isResult: (path) => path.includes("/ipfixprobe/"), read: readIpfixprobe },
];

function readCatalogue(dataDir: string): Capture[] {
  const captures: Capture[] = [];
  for (const line of readFileSync(join(dataDir, "files.tsv"), "utf8").split("\n")) {
    const [path, , , kind, , , , expected, check] = line.split("\t");
    if (path === undefined || kind === undefined || !path.startsWith("A-captures/") || kind === "") continue;
    const counts = /pkts (\d+)\/(\d+)/.exec(check ?? "");
    captures.push({
      path,
      kind,
      expected: (expected ?? "").split(" ").filter((name) => name !== ""),
      isStrict: (check ?? "").includes("equal["),
      areCountsStrict: counts !== null && counts[1] === counts[2],
    });
  }
  return captures.sort((a, b) => (a.path < b.path ? -1 : 1));
}

class Tally {
  private readonly counts = new Map<string, { passed: number; total: number }>();
  readonly disagreements: Disagreement[] = [];

  add(
    what: string,
    subject: string,
    problem: { readonly category: string; readonly detail: string } | undefined,
  ): void {
    const count = this.counts.get(what) ?? { passed: 0, total: 0 };
    this.counts.set(what, count);
    count.total++;
    if (problem === undefined) count.passed++;
    else this.disagreements.push({ subject, ...problem });
  }

  result(): AreaResult {
    const counts = [...this.counts].sort().map(([what, count]) => ({ what, ...count }));
    return { counts, disagreements: this.disagreements };
  }
}

async function run(dataDir: string): Promise<AreaResult | undefined> {
  if (!existsSync(join(dataDir, "files.tsv")) || !existsSync(join(dataDir, "A-captures"))) return undefined;
  const tally = new Tally();
  for (const capture of readCatalogue(dataDir)) {
    const { path } = capture;
    const ours = await ourFlows(join(dataDir, path));
    const slow = { category: "slow", detail: `${Math.round(ours.elapsedMs)} ms` };
    tally.add("read in time", path, ours.elapsedMs > SLOW_MS ? slow : undefined);
    for (const result of capture.expected.filter((name) => name.endsWith("expected.test.yaml"))) {
      const missing = checkSuricata(join(dataDir, result), ours.flows);
      if (missing === undefined) continue;
      const problem = { category: "suricata flow missing", detail: missing.join("; ") };
      tally.add("suricata: flow events", path, missing.length === 0 ? undefined : problem);
    }
    for (const program of OTHER_PROGRAMS) {
      const results = capture.expected.filter(program.isResult);
      if (results.length === 0) continue;
      // Where a capture has several results of one program, they are of different settings: the fullest is taken.
      const theirs = results
        .map((result) => program.read(join(dataDir, result)))
        .reduce((a, b) => (b.length > a.length ? b : a));
      if (theirs.length === 0) continue;
      const prefix = capture.isStrict ? program.name : `${program.name} (uncertain)`;
      for (const { what, problem } of compareFlows(ours.flows, theirs, program.layer)) {
        const isCount = what === "packets" || what === "bytes";
        // Of a direction that we guess, theirs is no better: most take the sender of the first packet.
        const isUncertain = (isCount && !capture.areCountsStrict) || what === "direction guessed";
        const name = isUncertain ? `${program.name} (uncertain)` : prefix;
        tally.add(`${name}: ${what}`, path, problem && { ...problem, category: `${name} ${problem.category}` });
      }
    }
  }
  return tally.result();
}

/** Flow records of captures against the flow tables of other programs. */
export const capturesArea: Area = { name: "captures", run };
