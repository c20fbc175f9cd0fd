import { createHash } from "node:crypto";

/** How far a rollout has come: each stage holds the hosts of those before it, and `audit` takes all of them back. */
export const STAGES = ["audit", "canary", "5%", "25%", "100%"] as const;
export type Stage = (typeof STAGES)[number];

/** 0..99, the same wherever it is asked: which hosts go first differs by scope, so that no host is always first. */
function place(scope: string, host: string): number {
  return createHash("sha256").update(`${scope}\0${host}`).digest().readUInt32BE(0) % 100;
}

/** Whether deny is for `host` at this stage. */
export function isInStage(stage: Stage, scope: string, host: string, canaries: readonly string[]): boolean {
  switch (stage) {
    case "audit":
      return false;
    case "canary":
      return canaries.includes(host);
    case "5%":
      return canaries.includes(host) || place(scope, host) < 5;
    case "25%":
      return canaries.includes(host) || place(scope, host) < 25;
    case "100%":
      return true;
  }
}
