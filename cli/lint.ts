import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import type { EdgeActivity } from "../analyzer/store/edge-activity.js";
import { Store } from "../analyzer/store/store.js";
import { PLANE_READERS } from "../policy/formats/plane.js";
import { lintManifests, type Observation } from "../policy/lint/lint.js";
import { renderSarif, renderText } from "../policy/lint/render-findings.js";
import { EXIT, Failure } from "./failure.js";
import { readManifests } from "./read-manifests.js";
import { VERSION } from "./version.js";

interface LintOptions {
  readonly target: string;
  readonly format: "text" | "sarif" | "json";
  readonly json?: true;
  readonly store?: string;
}

/** What a store holds of answered traffic: the workloads, and each conversation once. */
async function readObservation(path: string): Promise<Observation> {
  if (!existsSync(path)) throw new Failure(`Cannot open store "${path}": there is no such file`, EXIT.input);
  const store = await Store.open({ path });
  try {
    const conversations = new Map<string, EdgeActivity>();
    for (const activity of await store.activity({})) {
      if (activity.flows.answered + activity.flows.midstream === 0) continue;
      conversations.set(`${activity.client} ${activity.server} ${activity.protocol} ${activity.serverPort}`, activity);
    }
    return { inventory: store.inventory, conversations: conversations.values() };
  } finally {
    await store.close();
  }
}

export function lintCommand(): Command {
  return new Command("lint")
    .description("find policies that do not do what they seem to do")
    .argument("<path...>", "the cluster's manifests: files, or folders read with all below")
    .addOption(
      new Option("-t, --target <plane>", "whose meaning policies have")
        .choices([...PLANE_READERS.keys()])
        .default("kubernetes"),
    )
    .addOption(new Option("-f, --format <format>", "how to print").choices(["text", "sarif", "json"]).default("text"))
    .option("--json", "the same as --format json")
    .option("--store <file>", "DuckDB file of analyze or run: compare rules with what was seen, too")
    .addHelpText(
      "after",
      `
Finds selectors, peers and ports that match nothing, rules that change no verdict, rules that the other end denies,
isolation by accident, rules that mean nothing, rules far broader than those beside them, and workloads that nothing isolates;
with --store also rules that allow nothing, or far more, than was seen.
Exit code ${EXIT.no}: there are findings.

Example:
  portolan lint manifests/ --target kubernetes --format sarif > findings.sarif`,
    )
    .action(async (paths: string[], { target, format, json, store }: LintOptions) => {
      const files = paths.flatMap((path) => {
        const below = readManifests(path);
        const isFile = below.length === 1 && below[0]!.path === path;
        return isFile ? below : below.map((file) => ({ ...file, path: `${path.replace(/\/$/, "")}/${file.path}` }));
      });
      const observation = store === undefined ? undefined : await readObservation(store);
      const findings = lintManifests(files, PLANE_READERS.get(target)!, observation);
      if (format === "sarif") process.stdout.write(renderSarif(findings, VERSION));
      else if (json || format === "json") process.stdout.write(`${JSON.stringify({ findings }, undefined, 2)}\n`);
      else process.stdout.write(findings.length === 0 ? "nothing odd found\n" : renderText(findings));
      if (findings.length > 0) process.exitCode = EXIT.no;
    });
}
