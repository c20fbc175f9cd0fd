import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Area, AreaResult, Disagreement } from "./area.js";
import { ourFlows } from "./captures/our-flows.js";
import { endOf } from "./captures/tuple-flows.js";
import { endsKey, type NamedTuple, readNdpiNames, readZeekNames, type ZeekLog } from "./names/other-names.js";

interface Source {
  readonly what: string;
  readonly read: (path: string) => NamedTuple[];
}

function sourceOf(result: string): Source | undefined {
  const name = basename(result);
  if (name.endsWith(".expected-flows.out")) return { what: "ndpi: TLS, QUIC and HTTP names", read: readNdpiNames };
  if (name === "ssl.log" || name === "quic.log" || name === "http.log") {
    return { what: `zeek: ${name}`, read: (path) => readZeekNames(path, name satisfies ZeekLog) };
  }
  return undefined;
}

/** Names that our flow records have from payloads, by tuple. */
async function ourNames(path: string): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  for (const { originator, responder, names } of (await ourFlows(path)).flows) {
    const key = endsKey(endOf(originator.address, originator.port), endOf(responder.address, responder.port));
    const known = found.get(key) ?? new Set<string>();
    for (const { name, source } of names) if (source !== "dns") known.add(name.replace(/:\d+$/, "").replace(/\.$/, ""));
    found.set(key, known);
  }
  return found;
}

async function run(dataDir: string): Promise<AreaResult | undefined> {
  const catalogue = join(dataDir, "files.tsv");
  if (!existsSync(catalogue) || !existsSync(join(dataDir, "A-captures"))) return undefined;
  const counts = new Map<string, { passed: number; total: number }>();
  const disagreements: Disagreement[] = [];
  for (const line of readFileSync(catalogue, "utf8").split("\n")) {
    const columns = line.split("\t");
    const path = columns[0] as string;
    const results = (columns[7] ?? "").split(" ").flatMap((result) => {
      const source = sourceOf(result);
      return source === undefined ? [] : [{ result, source }];
    });
    if (results.length === 0) continue;
    const ours = await ourNames(join(dataDir, path));
    for (const { result, source } of results) {
      const theirs = new Map<string, Set<string>>();
      for (const { key, name } of source.read(join(dataDir, result))) {
        theirs.set(key, (theirs.get(key) ?? new Set()).add(name));
      }
      const count = counts.get(source.what) ?? { passed: 0, total: 0 };
      counts.set(source.what, count);
      for (const [key, names] of theirs) {
        count.total++;
        const known = ours.get(key);
        if (known !== undefined && [...known].some((name) => names.has(name))) {
          count.passed++;
          continue;
        }
        const category = known === undefined ? "no flow" : known.size === 0 ? "no name" : "another name";
        const detail = `${key}: theirs ${[...names].join(" ")}, ours ${[...(known ?? [])].join(" ") || "none"}`;
        disagreements.push({ subject: path, category: `${source.what}, ${category}`, detail });
      }
    }
  }
  return { counts: [...counts].sort().map(([what, count]) => ({ what, ...count })), disagreements };
}

/** Names of responders against those that other programs read in the same payloads. */
export const namesArea: Area = { name: "names", run };
