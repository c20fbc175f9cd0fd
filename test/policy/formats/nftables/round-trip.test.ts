import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Bundle } from "../../../../policy/bundle.js";
import { compare } from "../../../../policy/compare.js";
import { programOfExpressed } from "../../../../policy/expressed-program.js";
import { comparableInventory } from "../../../../policy/formats/comparable.js";
import { parseNftText } from "../../../../policy/formats/nftables/parse-text.js";
import { programOfTables } from "../../../../policy/formats/nftables/program-of-table.js";
import { renderNftables } from "../../../../policy/formats/nftables/render.js";
import { arbitraryBundleRequest } from "../../arbitrary-bundle.js";
import { assertLossesExplain } from "../../loss-report.js";

function programOf(bundle: Bundle) {
  const hosts = bundle.files
    .filter((file) => file.path.endsWith(".nft"))
    .map(({ text }) => {
      const workload = JSON.parse(/^# host (".*")$/m.exec(text)?.[1] ?? "null") as string;
      return { workload, table: parseNftText(text) };
    });
  return programOfTables(hosts);
}

test("what is rendered reads back as exactly what the bundle claims, for 1000 random policies", () => {
  fc.assert(
    fc.property(arbitraryBundleRequest, (request) => {
      const bundle = renderNftables(request.policySet, request.inventory, request.options);
      const inventory = comparableInventory(request.inventory, false);
      const result = compare(programOfExpressed(bundle.expressed, inventory), programOf(bundle), inventory);
      assert.equal(result.kind === "equal" ? "" : result.text, "");
    }),
    { numRuns: 1000 },
  );
});

test("every packet on which the rulesets differ from the policy is in the loss report", () => {
  fc.assert(
    fc.property(arbitraryBundleRequest, (request) => {
      const inventory = comparableInventory(request.inventory, false);
      assertLossesExplain({ ...request, inventory }, renderNftables(request.policySet, inventory, request.options));
    }),
    { numRuns: 1000 },
  );
});
