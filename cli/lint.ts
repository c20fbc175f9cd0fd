import { PLANE_READERS } from "../policy/formats/plane.js";
import { lintManifests } from "../policy/lint/lint.js";
import { renderSarif, renderText } from "../policy/lint/render-findings.js";
import { EXIT } from "./failure.js";
import { readManifests } from "./read-manifests.js";
import type { LintOptions } from "./verbs/lint.js";
import { VERSION } from "./version.js";

export async function lint(paths: string[], { target, format, json, store }: LintOptions): Promise<void> {
  const files = paths.flatMap((path) => {
    const below = readManifests(path);
    const isFile = below.length === 1 && below[0]!.path === path;
    return isFile ? below : below.map((file) => ({ ...file, path: `${path.replace(/\/$/, "")}/${file.path}` }));
  });
  const observation =
    store === undefined ? undefined : await (await import("./read-observation.js")).readObservation(store);
  const findings = lintManifests(files, PLANE_READERS.get(target)!, observation);
  if (format === "sarif") process.stdout.write(renderSarif(findings, VERSION));
  else if (json || format === "json") process.stdout.write(`${JSON.stringify({ findings }, undefined, 2)}\n`);
  else process.stdout.write(findings.length === 0 ? "nothing odd found\n" : renderText(findings));
  if (findings.length > 0) process.exitCode = EXIT.no;
}
