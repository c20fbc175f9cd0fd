import assert from "node:assert/strict";
import test from "node:test";
import { Analyzer, type AuditOptions } from "../../../analyzer/analyzer.js";
import { parseAcceptedDenials } from "../../../analyzer/audit/accepted-denials.js";
import { auditBundle, MANIFEST } from "../../../analyzer/audit/audit-bundle.js";
import { type AuditDocument, brokenEntry, FIRST_LINK } from "../../../analyzer/audit/audit-trail.js";
import { verifyAuditBundle } from "../../../analyzer/audit/verify-audit-bundle.js";
import { DEFAULT_SETTINGS } from "../../../policy/trust/enforcement-settings.js";
import { makePolicyOrder } from "../../../policy/trust/policy-order.js";
import { SHOP } from "../../policy/sample-policy.js";
import { bytesOf, keyringOf, person, signed } from "../../policy/trust/people.js";
import { documentOf, edge, MINUTE, NOON, reportOf } from "./reports.js";

const SPAN = { fromUs: NOON, untilUs: NOON + 60 * MINUTE };
const SCANNER = "203.0.113.9";

async function signedShop(): Promise<{ document: AuditDocument; keyring: AuditOptions["keyring"] }> {
  const people = await Promise.all([
    person("alice", ["author"]),
    person("bob", ["approver"]),
    person("release", ["signer"]),
  ]);
  const [alice, bob, release] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
  const order = makePolicyOrder(SHOP.policy, SHOP.inventory, {
    generation: 3,
    mode: "deny",
    settings: DEFAULT_SETTINGS,
    notBeforeMs: NOON / 1000 - 1,
    expiresMs: NOON / 1000 + 86_400_000,
  });
  const envelope = await signed(order, [
    [alice, "author"],
    [bob, "approver"],
    [release, "signer"],
  ]);
  const text = bytesOf(envelope).toString();
  return { document: { kind: "policy", id: "shop/1", receivedUs: NOON - MINUTE, text }, keyring: keyringOf(people) };
}

async function audited(documents: readonly AuditDocument[], audit: Partial<AuditOptions> = {}, span = SPAN) {
  const options: AuditOptions = { accepted: [], keyring: undefined, ...audit };
  const analyzer = await Analyzer.open({ path: ":memory:", inventory: SHOP.inventory, audit: options });
  try {
    await analyzer.keepAudit(documents, []);
    return await analyzer.audit(span);
  } finally {
    await analyzer.close();
  }
}

test("reports add up by edge, in whatever pieces and however often they come", async () => {
  const one = documentOf(
    reportOf(1, { edges: [edge("10.0.0.10", "10.0.0.20", 22, 3), edge(SCANNER, "10.0.0.20", 22, 5)] }),
  );
  const two = documentOf(
    reportOf(2, { edges: [edge("10.0.0.10", "10.0.0.20", 22, 4, { lastUs: NOON + 2 * MINUTE })] }),
  );
  const { report } = await audited([one, two, one]);
  const [scope] = report.scopes;
  assert.deepEqual(
    scope?.edges.map(({ client, server, audited: attempts, standing }) => [
      client.name,
      server.name,
      attempts,
      standing,
    ]),
    [
      ["shop/web", "shop/api", 7, "new"],
      ["external", "shop/api", 5, "new"],
    ],
  );
  assert.equal(scope?.hosts[0]?.counters.recorded, 12);
  assert.equal(scope?.hosts[0]?.reports, 2);
});

test("an edge of before is known, and one that a person accepted is accepted until its end", async () => {
  const before = documentOf(
    reportOf(0, {
      edges: [edge("10.0.0.10", "10.0.0.20", 22, 1, { firstUs: NOON - 9 * MINUTE, lastUs: NOON - 5 * MINUTE })],
    }),
    NOON - 5 * MINUTE,
  );
  const edges = [
    edge("10.0.0.10", "10.0.0.20", 22, 2),
    edge(SCANNER, "10.0.0.20", 22, 7),
    edge("203.0.113.77", "10.0.0.20", 23, 1, { lastUs: NOON + 30 * MINUTE }),
  ];
  const accepted = parseAcceptedDenials(
    `version: 1
accepted:
  - { client: 203.0.113.0/28, server: shop/api, service: tcp/22, by: Ada, note: our own scanner }
  - { client: 203.0.113.77, server: "*", service: tcp/*, by: Ada, note: old, until: 2026-06-01T12:10:00Z }
`,
    "accepted.yaml",
  );
  const { report } = await audited([before, documentOf(reportOf(1, { edges }))], { accepted });
  assert.deepEqual(
    report.scopes[0]?.edges.map(({ client, standing, acceptance }) => [client.address, standing, acceptance?.by]),
    [
      ["203.0.113.77", "new", undefined],
      ["10.0.0.10", "known", undefined],
      [SCANNER, "accepted", "Ada"],
    ],
  );
});

test("what never came, what could not be counted and who is silent keep gates unmet", async () => {
  const { document, keyring } = await signedShop();
  const { report } = await audited(
    [document, documentOf(reportOf(0)), documentOf(reportOf(3, { unrecorded: 4, mode: "deny", state: "trial" }))],
    { keyring },
  );
  const [scope] = report.scopes;
  assert.deepEqual(scope?.expectedHosts, ["data/db", "shop/api", "shop/web"]);
  assert.deepEqual(scope?.silentHosts, ["data/db", "shop/web"]);
  const [host] = scope?.hosts ?? [];
  assert.deepEqual([host?.missingReports, host?.unrecorded, host?.mode, host?.state], [2, 4, "deny", "trial"]);
  assert.equal(host?.modeSinceUs, NOON + 3 * MINUTE);
  const unmet = scope?.gates.filter(({ isMet }) => !isMet).map(({ name, value }) => [name, value]);
  assert.deepEqual(unmet, [
    ["every host reports", "1 of 3"],
    ["no report is missing", "2 missing"],
    ["every attempt is counted", "4 without an edge"],
  ]);
});

test("who approved is verified with a keyring, unchecked without, and refused where a signature does not hold", async () => {
  const { document, keyring } = await signedShop();
  const [good, unchecked, forged] = await Promise.all([
    audited([document], { keyring }),
    audited([document]),
    audited([{ ...document, text: document.text.replace('"signature":"', '"signature":"AAAA') }], { keyring }),
  ]);
  const approval = (of: typeof good) => of.report.scopes[0]?.approvals[0];
  assert.deepEqual(approval(good)?.trust, { kind: "verified" });
  assert.deepEqual(
    approval(good)?.signatures.map(({ role, person: name }) => `${role} ${name}`),
    ["author alice", "approver bob", "signer release"],
  );
  assert.deepEqual(approval(unchecked)?.trust, { kind: "unchecked" });
  assert.equal(approval(unchecked)?.signatures[0]?.person, undefined);
  assert.equal(approval(forged)?.trust.kind, "refused");
});

test("rules that nobody used are listed with the reason they are there for", async () => {
  const { document, keyring } = await signedShop();
  const used = documentOf(reportOf(0, { permits: [{ rule: "r2-api", packets: 12 }] }));
  const { report } = await audited([document, used], { keyring });
  assert.deepEqual(report.scopes[0]?.unusedRules, [
    { rule: "r1-web", reason: "r1-web was seen" },
    { rule: "r3-db", reason: "r3-db was seen" },
    { rule: "r4-partner", reason: "r4-partner was seen" },
  ]);
});

test("a changed, removed or moved entry breaks the chain", async () => {
  const { figures } = await audited(
    [0, 1, 2].map((sequence) => documentOf(reportOf(sequence))),
    {},
    {
      fromUs: NOON - 60 * MINUTE,
      untilUs: NOON + 60 * MINUTE,
    },
  );
  const { entries } = figures;
  assert.equal(figures.before, FIRST_LINK);
  assert.equal(brokenEntry(FIRST_LINK, entries), undefined);
  const [first, second, third] = entries as [(typeof entries)[0], (typeof entries)[0], (typeof entries)[0]];
  const changed = { ...second, text: second.text.replace('"sequence":1', '"sequence":9') };
  assert.equal(brokenEntry(FIRST_LINK, [first, changed, third])?.number, 2);
  assert.equal(brokenEntry(FIRST_LINK, [first, third])?.number, 3);
  assert.equal(brokenEntry(FIRST_LINK, [first, third, second])?.number, 3);
});

test("verifyAuditBundle() finds any changed byte in any file, and a report whose counts are not its entries'", async () => {
  const { document, keyring } = await signedShop();
  const { report, figures } = await audited(
    [document, documentOf(reportOf(1, { edges: [edge("10.0.0.10", "10.0.0.20", 22, 3)] }))],
    { keyring },
  );
  const files = new Map(auditBundle(report, figures, "1.2.3").map(({ path, text }) => [path, Buffer.from(text)]));
  assert.deepEqual(verifyAuditBundle(files), []);
  assert.deepEqual(verifyAuditBundle(files, report.chain.head), []);
  let flips = 0;
  for (const [path, bytes] of files) {
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ 1;
      flips++;
      assert.notDeepEqual(verifyAuditBundle(new Map([...files, [path, flipped]])), [], `${path}, byte ${at}`);
    }
  }
  assert.ok(flips > 300, `${flips} flips`);
  const without = new Map(files);
  without.delete("edges.csv");
  assert.deepEqual(verifyAuditBundle(without), ["edges.csv is missing"]);
  assert.match(verifyAuditBundle(files, "0".repeat(64))[0] ?? "", /^the last link is [0-9a-f]{64}, noted was 0{64}$/);
  const lying = { ...report, scopes: report.scopes.map((scope) => ({ ...scope, edges: [] })) };
  const forged = new Map(auditBundle(lying, figures, "1.2.3").map(({ path, text }) => [path, Buffer.from(text)]));
  assert.match(
    verifyAuditBundle(forged)[0] ?? "",
    /^report.json says nothing of .*"10.0.0.20","tcp",22\], its entries say 3 audited/,
  );
  assert.ok(files.has(MANIFEST));
});

test("hostile names run neither as markup nor as a formula", async () => {
  const name = '=cmd|"/c calc"!A1<img src=x onerror=alert(1)>\u001b]0;x\u0007';
  const inventory = {
    ...SHOP.inventory,
    groups: [{ name, cidrs: ["203.0.113.0/24"] }],
  };
  const analyzer = await Analyzer.open({ path: ":memory:", inventory });
  await analyzer.keepAudit([documentOf(reportOf(1, { edges: [edge(SCANNER, "10.0.0.20", 22, 1)] }))], []);
  const { report, figures } = await analyzer.audit(SPAN);
  await analyzer.close();
  const text = (path: string) => auditBundle(report, figures, "1").find((file) => file.path === path)?.text ?? "";
  assert.ok(!text("report.html").includes("<img"));
  assert.ok(!text("report.html").includes("\u001b"));
  assert.match(text("edges.csv"), /,"'=cmd/);
  for (const line of text("ocsf.jsonl").split("\n").slice(0, -1)) assert.ok(!line.includes("\u001b"), line);
});

test("accepted denials that cannot be read name file, line and column", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["version: 2\naccepted: []\n", /^a.yaml:1:10: Cannot read accepted denials: field "version": wanted version 1$/],
    [
      "version: 1\naccepted:\n  - client: x\n    server: y\n    service: tcp/99999\n    by: z\n    note: n\n",
      /^a.yaml:5:14: Cannot read accepted denials: port 99999: wanted at most 65535$/,
    ],
    ["version: 1\naccepted: [\n", /^a.yaml:\d+:\d+: Cannot read accepted denials: /],
    [
      "version: 1\naccepted:\n  - { client: x, server: y, service: tcp/1, by: z, note: n, since: 3 }\n",
      /^a.yaml:3:5: .*since/,
    ],
  ];
  for (const [source, wanted] of cases) {
    assert.throws(() => parseAcceptedDenials(source, "a.yaml"), { name: "SyntaxError", message: wanted });
  }
});
