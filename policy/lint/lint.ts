import type { Position } from "../formats/manifest/manifest-error.js";
import { type ManifestFile, type ManifestObject, readManifestObjects } from "../formats/manifest/manifest-objects.js";
import type { PlaneReader } from "../formats/plane.js";
import { type Finding, sortFindings } from "./finding.js";
import { lintPolicyTypes } from "./lint-policy-types.js";
import { lintProgram } from "./lint-program.js";

/** Where each policy stands, by the name that programs give it. */
function positionsOf(objects: readonly ManifestObject[]): Map<string, Position> {
  const positions = new Map<string, Position>();
  for (const { kind, name, namespace, node } of objects) {
    positions.set(`${kind} ${name}`, node.position);
    positions.set(`${kind} ${namespace ?? "default"}/${name}`, node.position);
  }
  return positions;
}

/**
 * Everything that is odd about the policies of a cluster as one plane reads them, sorted.
 * @throws {ManifestErrors} With every fault in all files.
 */
export function lintManifests(files: readonly ManifestFile[], read: PlaneReader): Finding[] {
  const { program, cluster } = read(files);
  const objects = readManifestObjects(files);
  const positions = positionsOf(objects);
  const { findings, unprotected } = lintProgram(program, cluster.inventory);
  return sortFindings([
    ...lintPolicyTypes(objects),
    ...findings.map(({ lint, source, text }): Finding => {
      const position = positions.get(source.policy);
      return { rule: lint, text, ...(position === undefined ? {} : { position }) };
    }),
    ...unprotected.map((id): Finding => ({ rule: "unprotected", text: `nothing isolates workload ${id}` })),
  ]);
}
