import assert from "node:assert/strict";
import test from "node:test";
import { compilePolicy } from "../../policy/verdict.js";
import { chartLab } from "./chart.js";
import { compareWithTruth } from "./judge.js";

const { inventory, truth, proposal } = await chartLab();

test("the proposal allows every intended edge of the lab, and nothing that must never be proposed", (t) => {
  const { allowed, refused, wrong } = compareWithTruth(truth, compilePolicy(proposal.policySet, inventory));
  const rows = (expect: string) => truth.filter((row) => row.expect === expect).length;
  t.diagnostic(
    `${proposal.policySet.rules.length} rules; ${rows("allow")} intended edges, ${allowed} address pairs allowed; ` +
      `${rows("never")} forbidden edges, ${refused} address pairs refused; ${wrong.length} judged wrongly`,
  );
  assert.deepEqual(wrong, []);
  assert.ok(allowed >= rows("allow"));
  assert.ok(refused >= rows("never"));
});

test("the comparison has teeth: a policy that isolates nobody is wrong on every forbidden edge", () => {
  const open = compilePolicy({ ...proposal.policySet, isolations: [] }, inventory);
  const { refused, wrong } = compareWithTruth(truth, open);
  assert.equal(refused, 0);
  assert.ok(wrong.length >= truth.filter(({ expect }) => expect === "never").length);
});

test("the comparison has teeth: without any one learned rule for ports an intended edge is lost", () => {
  const learned = proposal.policySet.rules.filter(
    ({ id, evidence }) => evidence !== undefined && !/dns|tcp-22/.test(id),
  );
  assert.ok(learned.length > 0);
  for (const { id } of learned) {
    const rules = proposal.policySet.rules.filter((rule) => rule.id !== id);
    const { wrong } = compareWithTruth(truth, compilePolicy({ ...proposal.policySet, rules }, inventory));
    assert.ok(wrong.length > 0, id);
  }
});

test("nobody is left open: every workload of the lab is isolated both ways", () => {
  assert.deepEqual(proposal.openWorkloads, []);
});

test("the scanner is excluded as a whole, and the reason gives its figures", (t) => {
  const scan = proposal.exclusions.filter(({ kind }) => kind === "scan");
  assert.deepEqual(
    scan.map(({ client, server, protocol }) => ({ client, server, protocol })),
    [{ client: "office/kiosk-1", server: "many", protocol: "tcp" }],
  );
  t.diagnostic(scan[0]?.reason ?? "");
  assert.match(scan[0]?.reason ?? "", /^\d+ of \d+ first contacts of this source failed/);
});

test("the client that retries a closed port is excluded as refused, with the number of its attempts", (t) => {
  const retries = proposal.exclusions.filter(({ client, ports }) => client === "data/etl-1" && ports.includes(5433));
  assert.deepEqual(
    retries.map(({ kind, server, protocol, ports }) => ({ kind, server, protocol, ports })),
    [{ kind: "refused", server: "data/db-1", protocol: "tcp", ports: [5433] }],
  );
  t.diagnostic(retries[0]?.reason ?? "");
  assert.match(retries[0]?.reason ?? "", /any of \d+ attempts/);
});

test("the one SSH session from a desk waits for a person", () => {
  const waiting = proposal.exclusions.filter(({ client, kind }) => client === "office/desk-2" && kind === "quarantine");
  assert.deepEqual(
    waiting.map(({ server, ports }) => ({ server, ports })),
    [{ server: "shop/api-1", ports: [22] }],
  );
});

test("SSH from the Internet waits for a person, however often it comes back", () => {
  const waiting = proposal.exclusions.filter(({ client, kind }) => client === "198.51.100.66" && kind === "quarantine");
  assert.deepEqual(
    waiting.map(({ server, ports }) => ({ server, ports })),
    [{ server: "shop/web-1", ports: [22] }],
  );
});

test("the address that changed hands gives each of its workloads its own rules", () => {
  const clientsOf = (name: string) =>
    proposal.policySet.rules
      .filter(({ evidence }) => evidence?.clients.includes(`shop/${name}`))
      .flatMap(({ evidence }) => evidence?.servers ?? []);
  assert.deepEqual([...new Set(clientsOf("worker-a"))].sort(), [
    "data/cache-1",
    "ops/dns-1",
    "shop/api-1",
    "shop/api-2",
  ]);
  assert.deepEqual([...new Set(clientsOf("worker-b"))].sort(), ["data/db-1", "ops/dns-1"]);
});
