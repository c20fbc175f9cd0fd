import type { Labels } from "../../model/label-selector.js";
import type { Workload } from "../../model/workload.js";

/** Keys that name what a workload is for, most telling first. */
const ROLE_KEYS = [
  "app.kubernetes.io/name",
  "app.kubernetes.io/component",
  "k8s-app",
  "app",
  "component",
  "tier",
  "role",
  "service",
] as const;

/** Keys that tell where a workload belongs; two environments are never one role. */
const ENVIRONMENT_KEYS = ["environment", "env", "stage"] as const;

/** Keys whose values change with each rollout or each replica; a rule that names one dies with it. */
const UNSTABLE_KEY =
  /hash|revision|generation|version|checksum|commit|build|image|release-date|timestamp|chart|job-name|job-completion-index|controller-uid|(^|[-_/.])(uid|uuid|rev|sha|serial)$/i;

/** Keys that single out one replica but survive its restart: the last resort of a selector. */
const INSTANCE_KEY = /pod-name$|pod-index$|hostname$|(^|[-_/.])(instance|host|node|zone|region|rack|name|id)$/i;

export type LabelStability = "role" | "environment" | "plain" | "instance" | "unstable";

export function stabilityOf(key: string): LabelStability {
  if ((ROLE_KEYS as readonly string[]).includes(key)) return "role";
  if ((ENVIRONMENT_KEYS as readonly string[]).includes(key)) return "environment";
  if (UNSTABLE_KEY.test(key)) return "unstable";
  return INSTANCE_KEY.test(key) ? "instance" : "plain";
}

/** Rank of a key among selector candidates, smaller is better; `undefined` if it must not be used. */
export function selectorRank(key: string): number | undefined {
  const role = (ROLE_KEYS as readonly string[]).indexOf(key);
  if (role >= 0) return role;
  switch (stabilityOf(key)) {
    case "environment":
      return 20;
    case "plain":
      return 30;
    case "instance":
      return 40;
    default:
      return undefined;
  }
}

export function environmentOf(workload: Workload): string {
  return ENVIRONMENT_KEYS.map((key) => workload.labels[key] ?? "").join("/");
}

/** The labels that say what a workload is for, or none. */
export function roleLabels(labels: Labels): [key: string, value: string][] {
  return ROLE_KEYS.filter((key) => Object.hasOwn(labels, key)).map((key) => [key, labels[key] as string]);
}
