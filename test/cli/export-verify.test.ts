import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Proposal } from "../../analyzer/proposal.js";
import { renderProposal } from "../../analyzer/proposal-file.js";
import { formatInventory } from "../../model/inventory-format.js";
import { SHOP } from "../policy/sample-policy.js";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

function portolan(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** A folder with a policy and its inventory, gone after the test. */
function workspace(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "portolan-export-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const proposal: Proposal = {
    version: 1,
    state: "ready-for-review",
    stateReason: "made for a test",
    gates: [],
    fromUs: 0,
    untilUs: 0,
    policySet: SHOP.policy,
    roles: [],
    openWorkloads: [],
    exclusions: [],
    gaps: [],
  };
  writeFileSync(join(folder, "policy.json"), renderProposal(proposal));
  writeFileSync(join(folder, "inventory.yaml"), formatInventory(SHOP.inventory));
  const input = ["--policy", join(folder, "policy.json"), "--inventory", join(folder, "inventory.yaml")];
  return { input, bundle: join(folder, "bundle") };
}

for (const target of ["calico", "cilium", "istio", "kubernetes", "nftables"]) {
  test(`what export writes for ${target}, verify proves equal to the policy`, (t) => {
    const { input, bundle } = workspace(t);
    const exported = portolan("export", ...input, "--target", target, "--out", bundle);
    assert.equal(exported.status, 0, exported.stderr);
    const verified = portolan("verify", ...input, "--target", target, "--bundle", bundle);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, /^equal: /);
  });
}

test("verify shows a packet on which edited files differ from the policy, and ends with 1", (t) => {
  const { input, bundle } = workspace(t);
  portolan("export", ...input, "--target", "nftables", "--mode", "deny", "--out", bundle);
  const path = join(bundle, "shop-api.nft");
  writeFileSync(path, readFileSync(path, "utf8").replaceAll("8080-8090", "8080-8091"));
  const { status, stdout } = portolan("verify", ...input, "--target", "nftables", "--mode", "deny", "--bundle", bundle);
  assert.equal(status, 1);
  assert.match(stdout, /^different: shop\/web \(.*\) to shop\/api \(.*\), tcp 8091: .*denied.*allowed/);
});

test("a bundle file that cannot be read is refused with file and line, and ends with 2", (t) => {
  const { input, bundle } = workspace(t);
  portolan("export", ...input, "--target", "nftables", "--out", bundle);
  const path = join(bundle, "shop-api.nft");
  writeFileSync(path, `${readFileSync(path, "utf8")}\nflush ruleset\n`);
  const { status, stderr } = portolan("verify", ...input, "--target", "nftables", "--bundle", bundle);
  assert.equal(status, 2);
  assert.match(stderr, /^shop-api\.nft: Cannot read nftables line \d+: found "flush ruleset"/);
});

test("export refuses an unknown target and a mode that the target does not have, and ends with 2", (t) => {
  const { input, bundle } = workspace(t);
  const unknown = portolan("export", ...input, "--target", "abacus", "--out", bundle);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /^Cannot write for target "abacus": wanted one of /);
  const audit = portolan("export", ...input, "--target", "kubernetes", "--mode", "audit", "--out", bundle);
  assert.equal(audit.status, 2);
  assert.match(audit.stderr, /^Cannot use mode "audit" for Kubernetes NetworkPolicy: wanted deny/);
});

test("export prints as JSON what was written and what was lost", (t) => {
  const { input, bundle } = workspace(t);
  const { status, stdout } = portolan("export", ...input, "--target", "kubernetes", "--json", "--out", bundle);
  assert.equal(status, 0);
  const report = JSON.parse(stdout) as { mode: string; files: string[]; losses: { ruleId: string; kind: string }[] };
  assert.equal(report.mode, "deny");
  assert.deepEqual(report.files, [
    "README.md",
    "kustomization.yaml",
    "shop/portolan-api.yaml",
    "shop/portolan-web.yaml",
  ]);
  assert.ok(report.losses.some((loss) => loss.ruleId === "r4-partner" && loss.kind === "dropped"));
});
