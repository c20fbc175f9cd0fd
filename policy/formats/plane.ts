import type { Program } from "../decision/program.js";
import { readCalico } from "./calico/read.js";
import { readCilium } from "./cilium/read.js";
import { readIstio } from "./istio/read.js";
import type { Cluster } from "./kubernetes/cluster.js";
import { readKubernetes } from "./kubernetes/read.js";
import type { ManifestFile } from "./manifest/manifest-objects.js";
import { PLANE_NAMES, type PlaneName } from "./target-names.js";

/** A cluster as one plane sees it: who is there, and what the policies mean to that plane. */
export interface PlaneReading {
  readonly cluster: Cluster;
  readonly program: Program;
}

/** Makes sense of a cluster's manifests, all or nothing. */
export type PlaneReader = (files: readonly ManifestFile[]) => PlaneReading;

const BY_NAME: Readonly<Record<PlaneName, PlaneReader>> = {
  calico: readCalico,
  cilium: readCilium,
  istio: (files) => readIstio(files),
  kubernetes: (files) => readKubernetes(files),
};

/** The planes whose policies can be read from manifests, by the name that users type. */
export const PLANE_READERS: ReadonlyMap<string, PlaneReader> = new Map(
  PLANE_NAMES.map((name) => [name, BY_NAME[name]]),
);
