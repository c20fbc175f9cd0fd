import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Inventory } from "../../../../model/workload.js";
import type { Bundle } from "../../../../policy/bundle.js";
import { compare } from "../../../../policy/compare.js";
import { programOfExpressed } from "../../../../policy/expressed-program.js";
import { parseCiliumPolicies } from "../../../../policy/formats/cilium/parse.js";
import { programOfCilium } from "../../../../policy/formats/cilium/program.js";
import { renderCilium } from "../../../../policy/formats/cilium/render.js";
import { comparableInventory } from "../../../../policy/formats/comparable.js";
import { readManifestObjects } from "../../../../policy/formats/manifest/manifest-objects.js";
import { arbitraryBundleRequest } from "../../arbitrary-bundle.js";
import { clusterOf } from "../../cluster-of.js";
import { assertLossesExplain } from "../../loss-report.js";

const NAMES = new Map([["api.example.com", ["192.0.2.77", "2001:db8::77"]]]);

function programOf(bundle: Bundle, inventory: Inventory) {
  const files = bundle.files.filter((file) => file.path.includes("/"));
  return programOfCilium(parseCiliumPolicies(readManifestObjects(files)), clusterOf(inventory), NAMES);
}

test("what is rendered reads back as exactly what the bundle claims, for 1000 random policies", () => {
  fc.assert(
    fc.property(arbitraryBundleRequest, ({ policySet, inventory: everything, options }) => {
      const inventory = comparableInventory(everything, true);
      const bundle = renderCilium(policySet, inventory, options);
      const claimed = programOfExpressed(bundle.expressed, inventory, NAMES);
      const result = compare(claimed, programOf(bundle, inventory), inventory);
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
      assertLossesExplain(deny, renderCilium(deny.policySet, deny.inventory, deny.options));
    }),
    { numRuns: 1000 },
  );
});
