import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import type { Inventory } from "../../model/workload.js";
import { type Difference, differences } from "../../policy/compare.js";
import { type CompiledPolicy, compileProgram, compileTogether } from "../../policy/decision/compiled-policy.js";
import type { Program } from "../../policy/decision/program.js";
import { OPEN_DIRECTION } from "../../policy/decision/program.js";
import { ManifestErrors } from "../../policy/formats/manifest/manifest-error.js";
import type { ManifestFile } from "../../policy/formats/manifest/manifest-objects.js";
import type { PlaneReader, PlaneReading } from "../../policy/formats/plane.js";
import type { AreaCount, Disagreement } from "./area.js";
import { compareMap, parseMap } from "./connectivity-map.js";
import { readManifests } from "./netpol-analyzer.js";
import { Town } from "./town.js";

/** A network configuration of a scheme: a topology and the policies laid over it. */
interface Config {
  readonly name: string;
  readonly topology: readonly string[]; // files or folders
  readonly policies: readonly string[];
}

interface Query {
  readonly name: string;
  readonly kind: string;
  readonly configs: readonly string[]; // "config" or "config/namespace/policy"
  readonly expected: number;
  readonly output: string | undefined; // file with the answer in words
}

function texts(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).filter((item): item is string => typeof item === "string");
}

const KINDS = [
  ...["equivalence", "strongEquivalence", "containment", "twoWayContainment", "vacuity", "semanticDiff"],
  "connectivityMap",
] as const;

function readScheme(path: string): { configs: Map<string, Config>; queries: Query[] } {
  const scheme: Record<string, unknown> = parse(readFileSync(path, "utf8")) ?? {};
  const shared = ["namespaceList", "podList", "resourceList"].flatMap((key) => texts(scheme[key]));
  const configs = new Map<string, Config>();
  for (const item of (scheme.networkConfigList ?? []) as Record<string, unknown>[]) {
    const own = ["namespaceList", "podList", "resourceList"].flatMap((key) => texts(item[key]));
    const name = String(item.name);
    configs.set(name, { name, topology: own.length > 0 ? own : shared, policies: texts(item.networkPolicyList) });
  }
  const queries = ((scheme.queries ?? []) as Record<string, unknown>[]).flatMap((item) =>
    KINDS.flatMap((kind): Query[] =>
      Array.isArray(item[kind]) && (typeof item.expected === "number" || kind === "connectivityMap")
        ? [
            {
              ...{ name: String(item.name), kind, configs: texts(item[kind]), expected: Number(item.expected ?? 0) },
              output: typeof item.expectedOutput === "string" ? item.expectedOutput : undefined,
            },
          ]
        : [],
    ),
  );
  return { configs, queries };
}

function load(folder: string, paths: readonly string[]): ManifestFile[] {
  const files = new Map<string, ManifestFile>();
  for (const path of paths) {
    const full = join(folder, path);
    if (!existsSync(full)) throw new RangeError(`"${path}" is not in this half of the data`);
    const found = statSync(full).isDirectory()
      ? readManifests(full).map((file) => ({ ...file, path: join(full, file.path) }))
      : [{ path: full, text: readFileSync(full, "utf8") }];
    for (const file of found) files.set(file.path, file);
  }
  return [...files.values()];
}

/** The file without the policies in it: a topology may lie in one folder with them. */
function withoutPolicies(file: ManifestFile): ManifestFile {
  if (!/kind"?: *"?NetworkPolicy/.test(file.text)) return file;
  const objects = parseAllDocuments(file.text).map((document): unknown => document.toJS());
  const others = objects.filter((object) => (object as { kind?: unknown } | null)?.kind !== "NetworkPolicy");
  return { ...file, text: others.map((object) => JSON.stringify(object)).join("\n---\n") };
}

/** Keeps one policy of a program. */
function onlyPolicy(program: Program, namespace: string, name: string): Program {
  const isWanted = (policy: string) => policy.endsWith(` ${namespace}/${name}`) || policy.endsWith(` ${name}`);
  const keep = (part: Program["ingress"]) => ({
    trial: [],
    enforced: part.enforced.map((stage) => ({
      ...stage,
      entries: stage.entries.filter(({ source }) => isWanted(source.policy)),
      closures: stage.closures.filter(({ source }) => isWanted(source.policy)),
    })),
  });
  return { ...program, ingress: keep(program.ingress), egress: keep(program.egress) };
}

/** Names of policies, as `onlyPolicy` takes them. */
function policiesOf({ ingress, egress }: Program): string[] {
  const stages = [...ingress.enforced, ...egress.enforced];
  const names = stages.flatMap(({ closures }) => closures.map(({ source }) => source.policy.split(" ").at(-1)!));
  return [...new Set(names)];
}

const OPEN: Program = { ingress: OPEN_DIRECTION, egress: OPEN_DIRECTION, selfTraffic: "allowed" };

class Scheme {
  readonly configs: Map<string, Config>;
  readonly queries: Query[];

  constructor(
    readonly path: string,
    readonly read: PlaneReader,
  ) {
    const { configs, queries } = readScheme(path);
    this.configs = configs;
    this.queries = queries;
  }

  #reading(name: string): PlaneReading {
    const config = this.configs.get(name);
    if (config === undefined) throw new RangeError(`Cannot find configuration "${name}"`);
    const folder = dirname(this.path);
    if (config.policies.length === 0) return this.read(load(folder, config.topology));
    const policies = load(folder, config.policies);
    const paths = new Set(policies.map(({ path }) => path));
    const topology = load(folder, config.topology).filter(({ path }) => !paths.has(path));
    return this.read([...topology.map(withoutPolicies), ...policies]);
  }

  #program(reference: string): { readonly program: Program; readonly inventory: Inventory } {
    const [name = "", namespace = "", ...rest] = reference.split("/");
    const { program, cluster } = this.#reading(name);
    const { inventory } = cluster;
    if (namespace === "") return { program, inventory };
    const policy = rest.at(-1) ?? namespace;
    return { program: onlyPolicy(program, rest.length === 0 ? "" : namespace, policy), inventory };
  }

  #differences(a: Program, b: Program, inventory: Inventory): Difference[] {
    const [before, after] = compileTogether([a, b], inventory) as [CompiledPolicy, CompiledPolicy];
    return [...differences(before, after)];
  }

  /** Whether a configuration holds Ingress objects: the other program lets them limit what their controller's pods send. */
  hasIngress({ configs }: Query): boolean {
    return configs.some((reference) => {
      const config = this.configs.get(reference.split("/")[0] ?? "");
      const files = config === undefined ? [] : load(dirname(this.path), [...config.topology, ...config.policies]);
      return files.some(({ text }) => /^\s*(- )?"?kind"?: "?Ingress"?,?$/m.test(text));
    });
  }

  /** Where the map of a configuration disagrees with ours; the file may hold the maps of several. */
  mapFaults({ configs, output }: Query): string[] {
    const text = readFileSync(join(dirname(this.path), output!), "utf8");
    if (text.includes(",hosts:")) throw new RangeError("the map is not in this half of the data without Ingress");
    const parts = text.split(/^final fw rules for query: [^,]+, config: (.+):$/m);
    return configs.flatMap((name) => {
      const at = parts.indexOf(name);
      const { program, cluster } = this.#reading(name);
      const town = new Town(compileProgram(program, cluster.inventory), cluster.workloadsByName);
      return compareMap(town, parseMap(at < 0 ? text : parts[at + 1]!));
    });
  }

  answer({ kind, configs }: Query): number {
    const sides = configs.map((reference) => this.#program(reference));
    const [first, ...others] = sides as [(typeof sides)[0], ...typeof sides];
    if (kind === "vacuity") {
      return sides.filter(({ program, inventory }) => this.#differences(program, OPEN, inventory).length === 0).length;
    }
    if (kind === "strongEquivalence") {
      // The same policies, each with the same meaning.
      const names = new Set(sides.flatMap(({ program }) => policiesOf(program)));
      const [a, b] = sides.map(({ program }) => program) as [Program, Program];
      const isAlike = (name: string) => {
        const [one, other] = [onlyPolicy(a, "", name), onlyPolicy(b, "", name)];
        return this.#differences(one, other, first.inventory).length === 0;
      };
      return [...names].every((name) => policiesOf(a).includes(name) && policiesOf(b).includes(name) && isAlike(name))
        ? 0
        : 1;
    }
    if (kind === "equivalence") {
      // Every two are compared, and those that differ are counted.
      const pairs = sides.flatMap((a, i) => sides.slice(i + 1).map((b) => [a, b] as const));
      return pairs.filter(([a, b]) => this.#differences(a.program, b.program, first.inventory).length > 0).length;
    }
    const compared = others.map(({ program }) => this.#differences(first.program, program, first.inventory));
    const isWithin = (list: readonly Difference[]) => list.every((each) => each.before === 0); // second within first
    const isAround = (list: readonly Difference[]) => list.every((each) => each.after === 0);
    if (kind === "containment") return compared.filter(isWithin).length;
    if (kind === "twoWayContainment") {
      const [only = []] = compared;
      return (isWithin(only) ? 1 : 0) + (isAround(only) ? 2 : 0);
    }
    return compared.some((list) => list.length > 0) ? 1 : 0;
  }
}

function schemesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /scheme.*\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Questions of equality and containment that network-config-analyzer answers with a number. */
export function runNetworkConfigAnalyzer(
  dataDir: string,
  readers: ReadonlyMap<string, PlaneReader>, // by the folder's name
): { counts: AreaCount[]; disagreements: Disagreement[] } | undefined {
  const root = join(dataDir, "D-policies", "network-config-analyzer");
  if (!existsSync(root)) return undefined;
  const counts = new Map<string, { passed: number; total: number }>();
  const disagreements: Disagreement[] = [];
  for (const [folder, read] of readers) {
    const policies = join(root, folder, "example_policies");
    if (!existsSync(policies)) continue;
    for (const path of schemesBelow(policies)) {
      const scheme = new Scheme(path, read);
      for (const query of scheme.queries) {
        let what = `network-config-analyzer ${folder.split("_")[0]}: ${query.kind}`;
        let detail: string | undefined;
        try {
          if (scheme.hasIngress(query)) what = "beside Ingress objects, no policies to us (uncertain)";
          if (query.kind === "connectivityMap") {
            if (query.output === undefined) continue;
            const faults = scheme.mapFaults(query);
            if (faults.length > 0)
              detail = `${faults[0]}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ""}`;
          }
          const ours = query.kind === "connectivityMap" ? query.expected : scheme.answer(query);
          // A semantic difference is counted by kinds that we do not have: whether there is one must agree.
          const theirs = query.kind === "semanticDiff" ? Math.min(query.expected, 1) : query.expected;
          if (ours !== theirs) detail = `theirs ${query.expected}, ours ${ours} (${query.configs.join(", ")})`;
        } catch (error) {
          const text = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
          if (text.includes("not in this half")) continue;
          if (error instanceof ManifestErrors) what = "what Kubernetes itself refuses (uncertain)";
          detail = text;
        }
        const count = counts.get(what) ?? { passed: 0, total: 0 };
        counts.set(what, count);
        count.total++;
        if (detail === undefined) count.passed++;
        else disagreements.push({ subject: `${relative(dataDir, path)} ${query.name}`, category: what, detail });
      }
    }
  }
  return { counts: [...counts].map(([what, count]) => ({ what, ...count })), disagreements };
}
