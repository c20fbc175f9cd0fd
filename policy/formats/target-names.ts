/** The planes whose policies can be read from manifests, by the names that users type. */
export const PLANE_NAMES = ["calico", "cilium", "istio", "kubernetes"] as const;
export type PlaneName = (typeof PLANE_NAMES)[number];

/** The planes that a policy set can be written for. */
export const TARGET_NAMES = [...PLANE_NAMES, "nftables"] as const;
export type TargetName = (typeof TARGET_NAMES)[number];
