import type { EndIdentity } from "../../model/conversation.js";
import type { Inventory } from "../../model/workload.js";
import type { QueryEnd } from "../decision/question.js";
import type { Cluster } from "../formats/kubernetes/cluster.js";
import { podManifests } from "../formats/kubernetes/pod-manifests.js";
import type { Position } from "../formats/manifest/manifest-error.js";
import { type ManifestFile, type ManifestObject, readManifestObjects } from "../formats/manifest/manifest-objects.js";
import type { PlaneReader } from "../formats/plane.js";
import { type Finding, sortFindings } from "./finding.js";
import { lintObserved } from "./lint-observed.js";
import { lintPolicyTypes } from "./lint-policy-types.js";
import { lintProgram, type ProgramFinding } from "./lint-program.js";

/** A conversation that was answered, with who its ends were. */
export interface ObservedConversation {
  readonly client: string; // address
  readonly server: string;
  readonly clientIdentity: EndIdentity;
  readonly serverIdentity: EndIdentity;
  readonly protocol: number;
  readonly serverPort: number;
}

/** What was seen, and the workloads that were there. */
export interface Observation {
  readonly inventory: Inventory;
  readonly conversations: Iterable<ObservedConversation>;
}

/** Where each policy stands, by the name that programs give it. */
function positionsOf(objects: readonly ManifestObject[]): Map<string, Position> {
  const positions = new Map<string, Position>();
  for (const { kind, name, namespace, node } of objects) {
    positions.set(`${kind} ${name}`, node.position);
    positions.set(`${kind} ${namespace ?? "default"}/${name}`, node.position);
  }
  return positions;
}

/** The end as the cluster knows it: its workload where there is one of that name, else its address. */
function endOf(identity: EndIdentity, address: string, { workloadsByName }: Cluster): QueryEnd {
  const [workload] = identity.kind === "workload" ? (workloadsByName.get(identity.id) ?? []) : [];
  return workload === undefined ? { kind: "address", address } : { kind: "workload", id: workload.id };
}

/** Reads the policies anew over the workloads that were seen too, and compares them with what was seen. */
function observedFindings(
  files: readonly ManifestFile[],
  read: PlaneReader,
  objects: readonly ManifestObject[],
  { inventory, conversations }: Observation,
): ProgramFinding[] {
  const mentioned = objects.flatMap(({ namespace }) => namespace ?? []);
  const text = podManifests(inventory, read(files).cluster, mentioned);
  const { program, cluster } = read([...files, { path: "workloads of the store", text }]);
  const traffic = [...conversations].map((seen) => ({
    client: endOf(seen.clientIdentity, seen.client, cluster),
    server: endOf(seen.serverIdentity, seen.server, cluster),
    protocol: seen.protocol,
    port: seen.serverPort,
  }));
  return lintObserved(program, cluster.inventory, traffic);
}

/**
 * Everything that is odd about the policies of a cluster as one plane reads them, sorted; with `observation` also where they
 * allow more than was seen.
 * @throws {ManifestErrors} With every fault in all files.
 */
export function lintManifests(files: readonly ManifestFile[], read: PlaneReader, observation?: Observation): Finding[] {
  const { program, cluster } = read(files);
  const objects = readManifestObjects(files);
  const positions = positionsOf(objects);
  const { findings, unprotected } = lintProgram(program, cluster.inventory);
  const seen = observation === undefined ? [] : observedFindings(files, read, objects, observation);
  return sortFindings([
    ...lintPolicyTypes(objects),
    ...[...findings, ...seen].map(({ lint, source, text }): Finding => {
      const position = positions.get(source.policy);
      return { rule: lint, text, ...(position === undefined ? {} : { position }) };
    }),
    ...unprotected.map((id): Finding => ({ rule: "unprotected", text: `nothing isolates workload ${id}` })),
  ]);
}
