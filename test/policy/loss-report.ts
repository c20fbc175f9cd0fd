import assert from "node:assert/strict";
import { EVERYTHING } from "../../model/label-selector.js";
import type { Inventory } from "../../model/workload.js";
import type { Bundle, Loss } from "../../policy/bundle.js";
import { differences } from "../../policy/compare.js";
import { compileTogether, formatPoint } from "../../policy/decision/compiled-policy.js";
import type { Program } from "../../policy/decision/program.js";
import { formatServicePoint } from "../../policy/decision/service-line.js";
import { programOfExpressed } from "../../policy/expressed-program.js";
import { programOfPolicySet } from "../../policy/neutral.js";
import type { PolicySet } from "../../policy/policy-set.js";
import type { BundleRequest } from "./arbitrary-bundle.js";

/** Everybody isolated, and the packets of the losses allowed: what is allowed is what the losses speak of. */
function programOfLosses(losses: readonly Loss[], policySet: PolicySet, inventory: Inventory): Program {
  const everyone = { namespaces: EVERYTHING, labels: EVERYTHING, serviceAccounts: [] };
  const packets = losses.flatMap((loss) => loss.packets ?? []);
  const rules = packets.map((each, i) => ({ id: `loss-${i}`, ...each, reason: "", confidence: 1, widenings: [] }));
  const isolations = (["ingress", "egress"] as const).map((direction) => ({
    selector: everyone,
    direction,
    mode: "deny" as const,
  }));
  return programOfPolicySet({ ...policySet, rules, isolations }, inventory);
}

/**
 * The bundle says of itself what it means; the loss report must explain every packet on which that differs from the
 * policy, and in the right sense: only `widened` allows more, only `dropped` less.
 */
export function assertLossesExplain(request: BundleRequest, bundle: Bundle): void {
  const { policySet, inventory, options } = request;
  const wanted: PolicySet = {
    ...policySet,
    isolations: policySet.isolations.map((isolation) => ({ ...isolation, mode: options.mode })),
  };
  const groups = bundle.expressed.policySet.groups;
  const ofKind = (kind: Loss["kind"]) => bundle.losses.filter((loss) => loss.kind === kind);
  const compiled = compileTogether(
    [
      programOfPolicySet(wanted, inventory),
      programOfExpressed(bundle.expressed, inventory),
      programOfLosses(ofKind("widened"), { ...policySet, groups }, inventory),
      programOfLosses(ofKind("dropped"), { ...policySet, groups }, inventory),
    ],
    inventory,
  );
  const [before, after, widened, dropped] = compiled as [
    (typeof compiled)[0],
    (typeof compiled)[0],
    (typeof compiled)[0],
    (typeof compiled)[0],
  ];
  const openEnds = new Set(bundle.expressed.unenforced.map((end) => `${end.direction} ${end.workload}`));
  const idOf = (point: number) => before.sets.space.workloadPoints[point]?.workload.id;
  for (const difference of differences(before, after)) {
    const { client, server, first } = difference;
    const isMore = difference.after < difference.before;
    const isOpen = openEnds.has(`egress ${idOf(client)}`) || openEnds.has(`ingress ${idOf(server)}`);
    if (isMore && isOpen) continue;
    const explained = (isMore ? widened : dropped).code(client, server, first) === 0;
    const text = `${formatPoint(before, client)} -> ${formatPoint(before, server)} ${formatServicePoint(first)}`;
    assert.ok(explained, `${text}: ${difference.before} became ${difference.after}, and no loss says so`);
  }
}
