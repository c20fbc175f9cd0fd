import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compileProgram } from "../../policy/decision/compiled-policy.js";
import { servicePoint } from "../../policy/decision/service-line.js";
import { readCilium } from "../../policy/formats/cilium/read.js";
import { readKubernetes } from "../../policy/formats/kubernetes/read.js";
import type { ManifestFile } from "../../policy/formats/manifest/manifest-objects.js";
import type { PlaneReading } from "../../policy/formats/plane.js";
import type { AreaCount, Disagreement } from "./area.js";
import { portsBetween } from "./connectivity.js";
import { readManifests } from "./netpol-analyzer.js";
import { Town } from "./town.js";

/** Answers of one source: how many there were, and those that are not ours. */
interface Answers {
  readonly what: string;
  readonly total: number;
  readonly faults: readonly string[];
}

function townOf({ program, cluster }: PlaneReading): Town {
  return new Town(compileProgram(program, cluster.inventory), cluster.workloadsByName);
}

function rowsOf(path: string): string[][] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .slice(1)
    .map((line) => line.split("\t"));
}

/** Every pair of the shop's services: the edges that are known pass, at their port, and no others. */
function onlineBoutique(root: string): Answers {
  const folder = join(root, "online-boutique");
  const manifests = readManifests(join(folder, "kubernetes-manifests"));
  const policies = readManifests(join(folder, "kustomize", "components", "network-policies"));
  const town = townOf(
    readKubernetes([...manifests, ...policies.map((file) => ({ ...file, path: `policies/${file.path}` }))]),
  );
  const wanted = new Map<string, string>();
  for (const [from, to, , port, , ports] of rowsOf(join(root, "ground-truth", "online-boutique.edges.tsv"))) {
    wanted.set(`default/${from} default/${to}`, ports!.includes("any port") ? "" : `TCP ${port}`);
  }
  const faults: string[] = [];
  let total = 0;
  for (const from of town.names) {
    for (const to of town.names) {
      // The policy of the front door takes anybody, whatever the list of edges has.
      if (from === to || to === "default/frontend") continue;
      total++;
      const theirs = wanted.get(`${from} ${to}`) ?? "";
      const ours = portsBetween(town.policy, town.pointOf(from), town.pointOf(to));
      if (ours !== theirs) faults.push(`${from} => ${to}: theirs "${theirs}", ours "${ours}"`);
    }
  }
  return { what: "online-boutique: hand-written policies", total, faults };
}

/** Who may open connections to the deathstar; what only HTTP decides is allowed as far as the network can tell. */
function starWars(root: string): Answers {
  const { program, cluster } = readCilium(readManifests(join(root, "star-wars")));
  const policy = compileProgram(program, cluster.inventory);
  const rows = rowsOf(join(root, "ground-truth", "star-wars.edges.tsv"));
  const faults = rows.flatMap(([from, to, port, , , expected]) => {
    const point = (name: string) =>
      policy.pointOfWorkload(cluster.workloadsByName.get(`default/${name.split("(")[0]}`)![0]!.id);
    const isAllowed = policy.code(point(from!), point(to!), servicePoint(6, Number(port))) === 0;
    const theirs = expected === "allow" || expected!.includes("L7");
    return isAllowed === theirs
      ? []
      : [`${from} => ${to}: theirs ${expected}, ours ${isAllowed ? "allowed" : "denied"}`];
  });
  return { what: "star-wars: who may connect", total: rows.length, faults };
}

/** The pods that cyclonus makes up for its tables: a, b and c in x, y and z. */
function probedPods(): ManifestFile {
  const objects = ["x", "y", "z"].flatMap((namespace) => [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { ns: namespace } } },
    ...["a", "b", "c"].map((name) => ({
      ...{ apiVersion: "v1", kind: "Pod", metadata: { namespace, name, labels: { pod: name } } },
      spec: {
        containers: [80, 81].flatMap((port) =>
          ["TCP", "UDP", "SCTP"].map((protocol) => ({
            name: `c-${port}-${protocol.toLowerCase()}`,
            ports: [{ name: `serve-${port}-${protocol.toLowerCase()}`, containerPort: port, protocol }],
          })),
        ),
      },
    })),
  ]);
  return { path: "pods.json", text: objects.map((object) => JSON.stringify(object)).join("\n---\n") };
}

/** Cells of the first table under "Combined:", by client and server: whether the probe passed. */
function probeTable(text: string): Map<string, boolean> {
  const lines = text.slice(text.indexOf("Combined:")).split("\n");
  const cells = (line: string) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const head = cells(lines.find((line) => line.includes("X/A")) ?? "").map((cell) => cell.toLowerCase());
  const table = new Map<string, boolean>();
  for (const line of lines.slice(0, 16)) {
    const [from = "", ...row] = cells(line);
    if (!/^[xyz]\/[abc]$/.test(from)) continue;
    row.forEach((cell, i) => {
      table.set(`${from} ${head[i + 1]}`, cell === ".");
    });
  }
  return table;
}

/** The table that cyclonus prints for its simple example. A pod's talk to itself is its own affair to us. */
function cyclonus(root: string): Answers {
  const folder = join(root, "cyclonus");
  const files = readManifests(join(folder, "networkpolicies", "simple-example"));
  const town = townOf(readKubernetes([probedPods(), ...files]));
  const table = probeTable(readFileSync(join(folder, "examples", "cyclonus-output", "analyze-probe.txt"), "utf8"));
  const pairs = [...table].filter(([pair]) => pair.split(" ")[0] !== pair.split(" ")[1]);
  const faults = pairs.flatMap(([pair, theirs]) => {
    const [from, to] = pair.split(" ") as [string, string];
    const ours = town.policy.code(town.pointOf(from), town.pointOf(to), servicePoint(6, 80)) === 0;
    return ours === theirs ? [] : [`${from} => ${to}: theirs ${theirs}, ours ${ours}`];
  });
  return { what: "cyclonus: probe of its simple example", total: pairs.length, faults };
}

/** Every file with policies and no answers: it must be read as a whole. */
function readable(root: string): Answers {
  const files = ["cyclonus/networkpolicies", "network-policy-api"].flatMap((part) =>
    existsSync(join(root, part))
      ? readdirSync(join(root, part), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
          .map((entry) => join(entry.parentPath, entry.name))
      : [],
  );
  const faults = files.flatMap((path) => {
    try {
      readKubernetes([{ path, text: readFileSync(path, "utf8") }]);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
  return { what: "cyclonus, network-policy-api: files that are read", total: files.length, faults };
}

/** Policies that people wrote by hand, and what is known of them. */
export function runHandWritten(dataDir: string): { counts: AreaCount[]; disagreements: Disagreement[] } | undefined {
  const root = join(dataDir, "D-policies");
  const sources = [
    ["online-boutique", onlineBoutique],
    ["star-wars", starWars],
    ["cyclonus", cyclonus],
    ["cyclonus", readable],
  ] as const;
  const answers = sources.filter(([folder]) => existsSync(join(root, folder))).map(([, run]) => run(root));
  if (answers.length === 0) return undefined;
  return {
    counts: answers.map(({ what, total, faults }) => ({ what, passed: total - faults.length, total })),
    disagreements: answers.flatMap(({ what, faults }) =>
      faults.map((detail) => ({ subject: "D-policies", category: what, detail })),
    ),
  };
}
