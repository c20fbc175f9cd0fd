import { graphJson } from "../analyzer/graph/graph-json.js";
import { renderProposal } from "../analyzer/proposal-file.js";
import type { Chart } from "./journey.js";
import { type OutputFile, writeFiles } from "./write-files.js";

/** Writes a chart below `folder`: graph.json, policy.json, bundles/<target>/ and report.html. */
export function writeResults(folder: string, chart: Chart): void {
  const files: OutputFile[] = [
    { path: "graph.json", text: graphJson(chart.graph) },
    { path: "policy.json", text: renderProposal(chart.proposal) },
    { path: "report.html", text: chart.report },
  ];
  for (const [target, bundle] of chart.bundles) {
    for (const file of bundle.files) files.push({ path: `bundles/${target}/${file.path}`, text: file.text });
  }
  writeFiles(folder, files);
}
