import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Inventory } from "../../../../model/workload.js";
import type { Bundle } from "../../../../policy/bundle.js";
import { compare } from "../../../../policy/compare.js";
import { programOfExpressed } from "../../../../policy/expressed-program.js";
import { comparableInventory } from "../../../../policy/formats/comparable.js";
import { parseKubernetesPolicies } from "../../../../policy/formats/kubernetes/parse.js";
import { programOfKubernetes } from "../../../../policy/formats/kubernetes/program.js";
import { renderKubernetes } from "../../../../policy/formats/kubernetes/render.js";
import { readManifestObjects } from "../../../../policy/formats/manifest/manifest-objects.js";
import { podsOnly } from "../../../../policy/formats/pods-only.js";
import { arbitraryBundleRequest } from "../../arbitrary-bundle.js";
import { assertLossesExplain } from "../../loss-report.js";

function programOf(bundle: Bundle, inventory: Inventory) {
  const files = bundle.files.filter((file) => file.path.includes("/"));
  const cluster = { inventory, nodes: [], hostNetwork: new Set<string>(), nodeOf: new Map<string, string>() };
  const policies = parseKubernetesPolicies(readManifestObjects(files));
  const program = programOfKubernetes(
    policies,
    { ...cluster, networks: [], workloadsByName: new Map() },
    { ipBlocks: "anyone" },
  );
  return podsOnly(program, inventory);
}

test("what is rendered reads back as exactly what the bundle claims, for 1000 random policies", () => {
  fc.assert(
    fc.property(arbitraryBundleRequest, ({ policySet, inventory: everything, options }) => {
      const inventory = comparableInventory(everything, true);
      const bundle = renderKubernetes(policySet, inventory, options);
      const result = compare(programOfExpressed(bundle.expressed, inventory), programOf(bundle, inventory), inventory);
      assert.equal(result.kind === "equal" ? "" : result.text, "");
    }),
    { numRuns: 1000 },
  );
});

test("every packet on which the policies differ from the policy set is in the loss report", () => {
  fc.assert(
    fc.property(arbitraryBundleRequest, (request) => {
      const inventory = comparableInventory(request.inventory, true);
      const deny = { ...request, inventory, options: { ...request.options, mode: "deny" as const } };
      assertLossesExplain(deny, renderKubernetes(deny.policySet, deny.inventory, deny.options));
    }),
    { numRuns: 1000 },
  );
});
