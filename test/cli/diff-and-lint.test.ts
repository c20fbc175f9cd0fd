import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { Store } from "../../analyzer/store/store.js";
import { batchOf, originOf } from "../analyzer/batches.js";
import { TOWN } from "../policy/formats/ask.js";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

function policy(ports: string): string {
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec: { podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ podSelector: {} }], ports: ${ports} }] }
`;
}

/** Runs the command in a folder with the given files. */
function portolan(files: Readonly<Record<string, string>>, args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "portolan-policies-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const BOTH = {
  "old/town.yaml": TOWN,
  "old/web.yaml": policy("[{ port: 80 }, { port: 81 }]"),
  "new/town.yaml": TOWN,
  "new/web.yaml": policy("[{ port: 81 }, { port: 82 }]"),
};

test("portolan diff lists what is lost and what is won, and its exit code says that there is something", () => {
  const { stdout, status } = portolan(BOTH, ["diff", "old", "new", "--target", "kubernetes"]);
  assert.equal(status, 1);
  assert.equal(
    stdout,
    "becomes denied (was allowed): shop/db to shop/web, tcp 80\nbecomes allowed (was denied): shop/db to shop/web, tcp 82\n",
  );
});

test("portolan diff --json gives the same to programs", () => {
  const { stdout } = portolan(BOTH, ["diff", "old", "new", "--target", "kubernetes", "--json"]);
  assert.deepEqual(JSON.parse(stdout).changes[0], {
    before: "allowed",
    after: "denied",
    clients: ["shop/db"],
    servers: ["shop/web"],
    services: ["tcp 80"],
  });
});

test("portolan diff finds policies of two planes equal where they mean the same", () => {
  const calico = `apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec:
  selector: app == 'web'
  ingress: [{ action: Allow, protocol: TCP, source: { selector: all() }, destination: { ports: ["81:82"] } }]
`;
  const files = { ...BOTH, "calico/town.yaml": TOWN, "calico/web.yaml": calico };
  const args = ["diff", "new", "calico", "--target", "kubernetes", "--target-of-second", "calico"];
  const { stdout, status } = portolan(files, args);
  assert.deepEqual([stdout, status], ["equal: every packet gets the same verdict\n", 0]);
});

test("portolan lint names file, line and rule, and its exit code says that there is something", () => {
  const files = { "m/town.yaml": TOWN, "m/web.yaml": policy("[{ port: htpp }]") };
  const { stdout, status } = portolan(files, ["lint", "m"]);
  assert.equal(status, 1);
  assert.match(
    stdout,
    /^m\/web\.yaml:1:1: warning: rule shop\/web ingress\[0\] names port htpp, which no workload has \[dead-port\]$/m,
  );
});

test("portolan lint --store says which rules allow nothing that the store has seen", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-lint-store-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "seen.duckdb");
  const store = await Store.open({ path });
  await store.append([batchOf(originOf("sensor", 0), [{ from: "10.9.9.9", to: "10.0.0.1", port: 80 }])]);
  await store.close();
  const files = { "all/town.yaml": TOWN, "all/web.yaml": policy("[{ port: 81 }]") };
  const { stdout, status } = portolan(files, ["lint", "all", "--store", path, "--json"]);
  assert.equal(status, 1);
  const found = JSON.parse(stdout).findings.map(({ rule, text }: { rule: string; text: string }) => `${rule}: ${text}`);
  assert.ok(found.includes("unseen-rule: rule shop/web ingress[0] allows nothing that was seen"), stdout);
  const { stderr, status: missing } = portolan(files, ["lint", "all", "--store", join(folder, "none.duckdb")]);
  assert.deepEqual(
    [missing, stderr],
    [2, `Cannot open store "${join(folder, "none.duckdb")}": there is no such file\n`],
  );
});

test("portolan lint --format sarif prints one SARIF document", () => {
  const files = { "m/town.yaml": TOWN, "m/web.yaml": policy("[{ port: 80 }]") };
  const { stdout } = portolan(files, ["lint", "m/town.yaml", "m/web.yaml", "--format", "sarif"]);
  const { version, runs } = JSON.parse(stdout);
  assert.equal(version, "2.1.0");
  assert.deepEqual(
    runs[0].results.map((result: { ruleId: string }) => result.ruleId),
    ["unprotected", "unprotected"],
  );
});
