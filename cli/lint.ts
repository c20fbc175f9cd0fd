import { Command, Option } from "commander";
import { PLANE_READERS } from "../policy/formats/plane.js";
import { lintManifests } from "../policy/lint/lint.js";
import { renderSarif, renderText } from "../policy/lint/render-findings.js";
import { EXIT } from "./failure.js";
import { readManifests } from "./read-manifests.js";
import { VERSION } from "./version.js";

interface LintOptions {
  readonly target: string;
  readonly format: "text" | "sarif" | "json";
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
    .addHelpText(
      "after",
      `
Finds selectors, peers and ports that match nothing, rules that change no verdict, rules that the other end denies,
isolation by accident, rules that mean nothing, rules far broader than those beside them, and workloads that nothing isolates.
Exit code ${EXIT.no}: there are findings.

Example:
  portolan lint manifests/ --target kubernetes --format sarif > findings.sarif`,
    )
    .action((paths: string[], { target, format }: LintOptions) => {
      const files = paths.flatMap((path) => {
        const below = readManifests(path);
        const isFile = below.length === 1 && below[0]!.path === path;
        return isFile ? below : below.map((file) => ({ ...file, path: `${path.replace(/\/$/, "")}/${file.path}` }));
      });
      const findings = lintManifests(files, PLANE_READERS.get(target)!);
      if (format === "sarif") process.stdout.write(renderSarif(findings, VERSION));
      else if (format === "json") process.stdout.write(`${JSON.stringify({ findings }, undefined, 2)}\n`);
      else process.stdout.write(findings.length === 0 ? "nothing odd found\n" : renderText(findings));
      if (findings.length > 0) process.exitCode = EXIT.no;
    });
}
