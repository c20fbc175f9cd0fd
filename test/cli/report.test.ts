import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { Analyzer } from "../../analyzer/analyzer.js";
import { documentOf, edge, reportOf } from "../analyzer/audit/reports.js";
import { SHOP } from "../policy/sample-policy.js";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

function portolan(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

const folder = mkdtempSync(join(tmpdir(), `portolan-report-${process.pid}-`));
const store = join(folder, "store.duckdb");
const out = join(folder, "out");
const span = ["--from", "2026-06-01T12:00:00Z", "--to", "2026-06-01T13:00:00Z"];
test.after(() => rmSync(folder, { recursive: true }));

test("portolan report writes the files, and report verify finds one changed byte in them", async () => {
  const analyzer = await Analyzer.open({ path: store, inventory: SHOP.inventory });
  await analyzer.keepAudit([documentOf(reportOf(1, { edges: [edge("10.0.0.10", "10.0.0.20", 22, 3)] }))], []);
  await analyzer.close();
  const made = portolan("report", "--store", store, ...span, "--out", out);
  assert.equal(made.status, 0, made.stderr);
  assert.match(
    made.stdout,
    /shop, generation 3: 1 hosts report, 0 in deny mode\n {2}edges that no rule permits: 1 new/,
  );
  const [, head = ""] = /last link of the audit trail: ([0-9a-f]{64})\n/.exec(made.stdout) ?? [];
  const names = [
    "edges.csv",
    "entries.jsonl",
    "manifest.json",
    "ocsf.jsonl",
    "policies.jsonl",
    "report.html",
    "report.json",
  ];
  assert.deepEqual(readdirSync(out).sort(), names);

  const intact = portolan("report", "verify", out, "--head", head);
  assert.deepEqual([intact.status, intact.stderr], [0, ""], intact.stdout);

  const page = readFileSync(join(out, "report.html"));
  page[1000] = (page[1000] as number) ^ 1;
  writeFileSync(join(out, "report.html"), page);
  const changed = portolan("report", "verify", out, "--json");
  assert.equal(changed.status, 1);
  assert.deepEqual(JSON.parse(changed.stdout), {
    isIntact: false,
    problems: ["report.html was changed: its hash does not fit"],
  });
});

test("the same trail gives the same bytes", () => {
  const read = (name: string) => {
    const { status, stderr } = portolan("report", "--store", store, ...span, "--out", join(folder, name));
    assert.equal(status, 0, stderr);
    return readdirSync(join(folder, name)).map((file) => readFileSync(join(folder, name, file), "utf8"));
  };
  assert.deepEqual(read("one"), read("two"));
});

test("what cannot be reported on is refused in one line", () => {
  const cases: readonly (readonly [args: string[], status: number, line: RegExp])[] = [
    [["--store", join(folder, "none.duckdb"), "--out", out], 2, /^Cannot open store "[^"]+": there is no such file\n$/],
    [
      ["--store", store, "--out", out, "--from", "2026-06-02T00:00:00Z", "--to", "2026-06-01T00:00:00Z"],
      2,
      /^Cannot report from [^\n]+: wanted a span that ends after it begins\n$/,
    ],
    [["--store", store, "--out", out, "--keyring", store], 2, /^[^\n]+\n$/],
  ];
  for (const [args, status, line] of cases) {
    const answer = portolan("report", ...args);
    assert.equal(answer.status, status, answer.stderr);
    assert.match(answer.stderr, line);
  }
  const none = portolan("report", "verify", join(folder, "nowhere"));
  assert.equal(none.status, 2);
  assert.match(none.stderr, /^Cannot read report "[^\n]+\n$/);
});
