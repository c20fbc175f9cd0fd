import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { formatAddress, parseAddress } from "../../model/address.js";
import { compileProgram } from "../../policy/decision/compiled-policy.js";
import { readKubernetes } from "../../policy/formats/kubernetes/read.js";
import type { ManifestFile } from "../../policy/formats/manifest/manifest-objects.js";
import type { AreaCount, Disagreement } from "./area.js";
import { parsePorts, parseRange, portsBetween } from "./connectivity.js";
import { compareExposure, parseExposure } from "./exposure.js";
import { Town } from "./town.js";

/** Every manifest below a folder, in a fixed order. */
export function readManifests(folder: string, root = folder): ManifestFile[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return readManifests(path, root);
      return /\.(ya?ml|json)$/.test(name) ? [{ path: relative(root, path), text: readFileSync(path, "utf8") }] : [];
    });
}

function buildTown(folder: string, more: readonly ManifestFile[] = []): Town {
  const { cluster, program } = readKubernetes([...readManifests(folder), ...more]);
  return new Town(compileProgram(program, cluster.inventory), cluster.workloadsByName);
}

interface Line {
  readonly from: string;
  readonly to: string;
  readonly ports: string;
}

/** "ns/name[Kind]" without the kind, or "first-last" without "[External]". */
function endName(text: string): string {
  return text.replace("[udn]", "").replace(/\[[^\]]*\]$/, "");
}

function parseLines(text: string): Line[] {
  const list = text.split("Exposure Analysis Result")[0] ?? "";
  return list.split("\n").flatMap((line) => {
    const match = /^(\S+) => (\S+) : (.+)$/.exec(line);
    return match === null ? [] : [{ from: endName(match[1]!), to: endName(match[2]!), ports: parsePorts(match[3]!) }];
  });
}

const ADDRESSES = /^\d+\.\d+\.\d+\.\d+-/;

/** Everything about which a complete list and our engine disagree. */
function compareList(town: Town, lines: readonly Line[]): string[] {
  const known = lines.filter((line) => !line.from.startsWith("{") && !line.to.startsWith("{"));
  const byPair = new Map(known.map((line) => [`${line.from} ${line.to}`, line.ports]));
  const ranges = known.flatMap((line) => [line.from, line.to].filter((end) => ADDRESSES.test(end)));
  const outsiders = new Set(town.outsiders());
  for (const range of ranges) {
    const { first, last } = parseRange(range);
    for (const value of [first, last]) outsiders.add(formatAddress({ family: 4, value }));
  }
  const rangeWith = (address: string) => {
    const { value } = parseAddress(address);
    return ranges.filter((range) => {
      const { first, last } = parseRange(range);
      return first <= value && value <= last;
    });
  };
  const faults: string[] = [];
  const check = (from: string, to: string, expected: string, actual: string) => {
    if (expected !== actual) faults.push(`${from} => ${to}: theirs "${expected}", ours "${actual}"`);
  };
  const names = [...town.groups.keys()].sort();
  for (const from of names) {
    for (const to of names) {
      if (from === to) continue;
      check(
        from,
        to,
        byPair.get(`${from} ${to}`) ?? "",
        portsBetween(town.policy, town.pointOf(from), town.pointOf(to)),
      );
    }
    for (const address of outsiders) {
      const outside = town.policy.pointOfAddress(parseAddress(address));
      if (outside < town.policy.sets.space.workloadPoints.length) continue;
      const inside = town.pointOf(from);
      const theirs = (pairs: readonly string[]) =>
        pairs.map((pair) => byPair.get(pair)).find((ports) => ports !== undefined) ?? "";
      const around = rangeWith(address);
      check(
        address,
        from,
        theirs(around.map((range) => `${range} ${from}`)),
        portsBetween(town.policy, outside, inside),
      );
      check(
        from,
        address,
        theirs(around.map((range) => `${from} ${range}`)),
        portsBetween(town.policy, inside, outside),
      );
    }
  }
  return faults;
}

/** Where single lines disagree; for lists that show a part only. */
function compareLines(town: Town, lines: readonly Line[]): string[] {
  return lines
    .filter((line) => !line.from.startsWith("{") && !line.to.startsWith("{"))
    .flatMap(({ from, to, ports }) => {
      const points = (end: string) =>
        ADDRESSES.test(end)
          ? [parseRange(end).first, parseRange(end).last].map((value) =>
              town.policy.pointOfAddress({ family: 4, value }),
            )
          : [town.pointOf(end)];
      return points(from).flatMap((client) =>
        points(to).flatMap((server) => {
          const ours = portsBetween(town.policy, client, server);
          return ours === ports ? [] : [`${from} => ${to}: theirs "${ports}", ours "${ours}"`];
        }),
      );
    });
}

interface Check {
  readonly what: string;
  readonly subject: string;
  readonly run: () => string[];
}

/** The folder that a result belongs to: the longest name that begins the file's. */
function folderOf(file: string, folders: readonly string[]): string | undefined {
  return folders.filter((name) => file.startsWith(`${name}_`)).sort((a, b) => b.length - a.length)[0];
}

function listChecks(root: string, folders: readonly string[]): Check[] {
  const results = join(root, "test_outputs", "connlist");
  return readdirSync(results)
    .filter((file) => file.endsWith("_output.txt"))
    .sort()
    .flatMap((file): Check[] => {
      const folder = folderOf(file, folders);
      if (folder === undefined) return [];
      const rest = file.slice(folder.length + 1);
      const isWhole = /^(connlist|exposure)_output\.txt$/.test(rest);
      const isPart = /^focus_workload_/.test(rest) && !/(tcp|udp|sctp)-\d/.test(rest);
      if (!isWhole && !isPart) return [];
      const run = () => {
        const lines = parseLines(readFileSync(join(results, file), "utf8"));
        const town = buildTown(join(root, "tests", folder));
        return isWhole ? compareList(town, lines) : compareLines(town, lines);
      };
      const list = { what: isWhole ? "connectivity lists" : "connectivity of one workload", subject: file, run };
      if (!isWhole || !rest.startsWith("exposure")) return [list];
      const expose = () => {
        const exposure = parseExposure(readFileSync(join(results, file), "utf8"));
        return compareExposure(buildTown(join(root, "tests", folder), [exposure.manifests]), exposure);
      };
      return [list, { what: "exposure to pods to come", subject: file, run: expose }];
    });
}

function diffChecks(root: string, folders: readonly string[]): Check[] {
  const results = join(root, "test_outputs", "diff");
  return readdirSync(results)
    .filter((file) => file.startsWith("diff_between_") && file.endsWith(".txt"))
    .sort()
    .map((file): Check => {
      const names = file.slice("diff_between_".length, -".txt".length).split("_and_");
      // Folder names may hold "_and_" themselves.
      const cut = names.findIndex(
        (_, i) => folders.includes(names.slice(0, i).join("_and_")) && folders.includes(names.slice(i).join("_and_")),
      );
      const [after, before] = [names.slice(0, cut).join("_and_"), names.slice(cut).join("_and_")];
      const run = () => {
        const towns = [before, after].map((name) => buildTown(join(root, "tests", name)));
        return readFileSync(join(results, file), "utf8")
          .split("\n")
          .flatMap((line) => {
            const match =
              /source: (\S+), destination: (\S+), ref1: (.*), ref2: ([^,]*(?:,[^:]*)*?)(?:, workloads-diff-info: .*)?$/.exec(
                line,
              );
            if (match === null) return [];
            const [from, to] = [endName(match[1]!), endName(match[2]!)];
            return towns.flatMap((town, i) => {
              const expected = { from, to, ports: parsePorts(match[3 + i]!) };
              const names = [from, to].filter((name) => !ADDRESSES.test(name) && !name.startsWith("{"));
              if (names.some((name) => !town.groups.has(name)))
                return expected.ports === "" ? [] : [`${line}: not there`];
              return compareLines(town, [expected]);
            });
          });
      };
      return { what: "differences", subject: file, run };
    });
}

/** What must be refused: folders that say so in their name. */
function refusalChecks(root: string, folders: readonly string[]): Check[] {
  return folders
    .filter((name) => /bad_path|_bad_test|bad_yamls/.test(name))
    .map((name) => {
      const run = () => {
        try {
          buildTown(join(root, "tests", name));
        } catch {
          return [];
        }
        return ["accepted, should be refused"];
      };
      return { what: "refusals", subject: name, run };
    });
}

export function runNetpolAnalyzer(dataDir: string): { counts: AreaCount[]; disagreements: Disagreement[] } | undefined {
  const root = join(dataDir, "D-policies", "netpol-analyzer");
  if (!existsSync(root)) return undefined;
  const folders = readdirSync(join(root, "tests")).sort();
  const counts = new Map<string, { passed: number; total: number }>();
  const disagreements: Disagreement[] = [];
  for (const { what, subject, run } of [
    ...listChecks(root, folders),
    ...diffChecks(root, folders),
    ...refusalChecks(root, folders),
  ]) {
    const count = counts.get(what) ?? { passed: 0, total: 0 };
    counts.set(what, count);
    count.total++;
    let faults: string[];
    try {
      faults = run();
    } catch (error) {
      faults = [String(error)];
    }
    if (faults.length === 0) count.passed++;
    else {
      const detail = `${faults[0]}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ""}`;
      disagreements.push({ subject: `D-policies/netpol-analyzer/${subject}`, category: what, detail });
    }
  }
  return {
    counts: [...counts].map(([what, count]) => ({ what: `netpol-analyzer: ${what}`, ...count })),
    disagreements,
  };
}
