import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { AddressCensus } from "../../../analyzer/identity/address-census.js";
import { readCaptures } from "../../../collector/read-captures.js";
import { parseInventory } from "../../../model/inventory-file.js";

const LAB = new URL("../../../../test/fixtures/lab/", import.meta.url);

test("an inventory made of the lab capture has every private address that the lab gave to somebody who spoke, and no other", async () => {
  const census = new AddressCensus();
  for await (const batch of readCaptures([fileURLToPath(new URL("lab.pcap", LAB))])) census.add(batch);
  const given = new Set(
    parseInventory(readFileSync(new URL("inventory.yaml", LAB), "utf8")).workloads.flatMap((workload) =>
      workload.addresses.map(({ address }) => address),
    ),
  );
  const { workloads } = census.inventory();
  const found = workloads.map((workload) => workload.name);
  assert.ok(found.length >= 20, `only ${found.length} hosts`);
  assert.deepEqual(
    found.filter((address) => !given.has(address) && !/^(10\.20\.\d+\.1|fd20::(\d+:)?1)$/.test(address)),
    [],
  );
  assert.deepEqual(
    workloads.map(({ id }) => id),
    workloads.map(({ id }) => id).sort(),
  );
});
