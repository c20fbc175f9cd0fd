import { graphJson } from "../analyzer/graph/graph-json.js";
import { renderProposal } from "../analyzer/proposal-file.js";
import type { Journey } from "./journey.js";
import { type OutputFile, writeFiles } from "./write-files.js";

/** Writes what a journey found below `folder`: graph.json, policy.json, bundles/<target>/ and report.html. */
export function writeResults(folder: string, journey: Journey): void {
  const files: OutputFile[] = [
    { path: "graph.json", text: graphJson(journey.graph) },
    { path: "policy.json", text: renderProposal(journey.proposal) },
    { path: "report.html", text: journey.report },
  ];
  for (const [target, bundle] of journey.bundles) {
    for (const file of bundle.files) files.push({ path: `bundles/${target}/${file.path}`, text: file.text });
  }
  writeFiles(folder, files);
}
