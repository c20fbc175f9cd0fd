import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { parseInventory } from "../../model/inventory-file.js";
import { HOSTS, workloadId } from "./company.js";
import { edgeKey, forbiddenEdges, intendedEdges } from "./intent.js";
import { formatTruth, parseTruth, type TruthRow } from "./truth.js";

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../test/fixtures/lab/${name}`, import.meta.url)), "utf8");

test("what is intended and what is forbidden have no edge in common", () => {
  const intended = new Set(intendedEdges().map(edgeKey));
  assert.deepEqual(
    forbiddenEdges().filter((edge) => intended.has(edgeKey(edge))),
    [],
  );
});

test("no edge is intended twice", () => {
  const keys = intendedEdges().map(edgeKey);
  assert.equal(new Set(keys).size, keys.length);
});

test("formatTruth() writes what parseTruth() reads, sorted and each row once", () => {
  const rows: TruthRow[] = [
    { expect: "never", client: "b", server: "c", protocol: "tcp", port: 22, note: "knock" },
    { expect: "allow", client: "a", server: "c", protocol: "icmpv6", port: 128, note: "ping" },
    { expect: "never", client: "b", server: "c", protocol: "tcp", port: 22, note: "knock" },
  ];
  const text = formatTruth(rows);
  assert.equal(
    text,
    "expect\tclient\tserver\tprotocol\tport\tnote\nallow\ta\tc\ticmpv6\t128\tping\nnever\tb\tc\ttcp\t22\tknock\n",
  );
  assert.deepEqual(parseTruth(text), [rows[1], rows[0]]);
});

test("parseTruth() names the line that it cannot read", () => {
  assert.throws(
    () => parseTruth("expect\tclient\tserver\tprotocol\tport\tnote\nmaybe\ta\tb\ttcp\t1\t\n"),
    /SyntaxError: Cannot parse truth "maybe\ta\tb\ttcp\t1": wanted expect, client, server, protocol, port, note/,
  );
});

test("in the checked-in truth every intended edge occurred, and every end is in the inventory", () => {
  const rows = parseTruth(fixture("truth.tsv"));
  const allowed = rows.filter(({ expect }) => expect === "allow").map(edgeKey);
  assert.deepEqual(allowed.sort(), intendedEdges().map(edgeKey).sort());
  const inventory = parseInventory(fixture("inventory.yaml"), "inventory.yaml");
  const known = new Set([...inventory.workloads.map(({ id }) => id), ...inventory.groups.map(({ name }) => name)]);
  for (const row of rows) assert.ok(known.has(row.client) && known.has(row.server), edgeKey(row));
  assert.deepEqual(
    inventory.workloads.map(({ id }) => id),
    HOSTS.map(workloadId).sort(),
  );
});
