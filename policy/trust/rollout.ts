import type { EnforcementState } from "../../model/verdict-report.js";
import { expressForHosts } from "../formats/nftables/express-for-hosts.js";
import { isolatedHosts } from "../formats/nftables/host-ruleset.js";
import { isInStage, STAGES, type Stage } from "./stage.js";
import type { VerifiedPolicy } from "./verify-policy.js";

/** What a host told last of one policy. */
export interface HostWord {
  readonly generation: number;
  readonly state: EnforcementState;
}

/** Hosts whose kernels a policy speaks to, by id. */
export function hostsOf({ order, inventory }: Pick<VerifiedPolicy, "order" | "inventory">): string[] {
  return isolatedHosts(expressForHosts(order.policySet, inventory, { mode: "deny" })).map(({ id }) => id);
}

/** The hosts that a stage adds to those of the stages before it. */
export function hostsAdded({ order }: Pick<VerifiedPolicy, "order">, hosts: readonly string[], stage: Stage): string[] {
  const before = STAGES[STAGES.indexOf(stage) - 1] ?? "audit";
  const { canaries } = order.settings;
  const isIn = (of: Stage, host: string) => isInStage(of, order.scope, host, canaries);
  return hosts.filter((host) => isIn(stage, host) && !isIn(before, host));
}

/**
 * Why a rollout may not go on to `stage`, one line for each host: every host of the stages before it denies, every host that
 * the stage adds is ready, and none has taken a trial back. Empty: it may.
 */
export function rolloutObstacles(
  policy: Pick<VerifiedPolicy, "order">,
  hosts: readonly string[],
  stage: Stage,
  words: ReadonlyMap<string, HostWord>,
): string[] {
  if (stage === "audit") return [];
  const { scope, generation, settings } = policy.order;
  const before = STAGES[STAGES.indexOf(stage) - 1] ?? "audit";
  return hosts.flatMap((host) => {
    const word = words.get(host);
    const isBefore = isInStage(before, scope, host, settings.canaries);
    const isMeant = isInStage(stage, scope, host, settings.canaries);
    if (word === undefined) return [`${host}: reports nothing`];
    if (word.generation !== generation) return [`${host}: has generation ${word.generation}, wanted ${generation}`];
    if (word.state === "rollback") return [`${host}: took a trial back`];
    if (isBefore && word.state !== "deny") return [`${host}: in ${word.state}, wanted deny`];
    const isReady = word.state === "ready" || word.state === "trial" || word.state === "deny";
    if (isMeant && !isReady) return [`${host}: in ${word.state}, wanted ready`];
    return [];
  });
}
