import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { compare } from "../../../../policy/compare.js";
import { programOfExpressed } from "../../../../policy/expressed-program.js";
import { comparableInventory } from "../../../../policy/formats/comparable.js";
import { renderIstio } from "../../../../policy/formats/istio/render.js";
import { TARGETS } from "../../../../policy/formats/targets.js";
import { arbitraryBundleRequest } from "../../arbitrary-bundle.js";
import { assertLossesExplain } from "../../loss-report.js";

test("what is rendered reads back as exactly what the bundle claims, for 1000 random policies", () => {
  fc.assert(
    fc.property(arbitraryBundleRequest, ({ policySet, inventory: everything, options }) => {
      const inventory = comparableInventory(everything, true);
      const bundle = renderIstio(policySet, inventory, options);
      const claimed = programOfExpressed(bundle.expressed, inventory);
      const result = compare(claimed, TARGETS.get("istio")!.read(bundle.files, inventory), inventory);
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
      assertLossesExplain(deny, renderIstio(deny.policySet, deny.inventory, deny.options));
    }),
    { numRuns: 1000 },
  );
});
