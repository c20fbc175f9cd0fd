// npm test [-- PATH ...]: installs what the whole suite needs, builds, and runs every test, those that want root as root.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { installKafkaJars } from "./kafka-jars.mjs";
import { fail, prepare, root, say } from "./prepare.mjs";
import { asRoot, installSystemPackages } from "./system-install.mjs";

if (process.platform !== "linux")
  fail("Cannot run the whole suite here: it wants Linux (network namespaces, nftables)");
installSystemPackages();
prepare(["cap"]); // captures are tested through it too
installKafkaJars();

const tests = join(root, "dist/test");
const wanted = process.argv.slice(2);
const files = readdirSync(tests, { recursive: true })
  .filter((name) => name.endsWith(".test.js"))
  .map((name) => join(tests, name))
  .filter((file) => wanted.length === 0 || wanted.some((part) => relative(root, file).includes(part)))
  .sort();
const isEndToEnd = (file) => file.endsWith(".e2e.test.js");

/**
 * End-to-end tests wait more than they compute, and each makes namespaces, ports and folders of its own, so two run at a
 * time. Not these, whose result depends on what else the machine does; they run one by one, after the others.
 */
const ALONE = {
  "cli/collect": "captures on the loopback, where the brokers and browsers of other tests speak too",
  "collector/live/": "counts every packet, also of a capture that has little room",
  "enforcer/churn": "what passes under a flood while addresses move",
  "enforcer/counting": "10,000 attempts counted exactly under a flood",
  "enforcer/five-hosts": "five enforcers and a broker want the cores for themselves",
  "enforcer/flips": "no packet of 50,000 a second is lost",
  "enforcer/lock-out": "how long a host was cut off",
  "enforcer/survival": "what is in force while processes are killed, by the second",
  "failures/": "collectors, analyzer and broker under load, killed again and again",
  "lab/live-run": "every call in a live capture, exactly once",
  "lab/nftables-bundle": "sweeps what killed labs left, which lab/lab makes and looks for",
};
const isAlone = (file) => Object.keys(ALONE).some((part) => relative(tests, file).startsWith(part));
const scratch = mkdtempSync(join(tmpdir(), "portolan-test-"));
/** A file of tests that takes longer hangs: it fails, and the rest goes on. */
const LONGEST_MS = 600_000;
const totals = { pass: 0, fail: 0, skipped: 0, cancelled: 0, todo: 0 };

/** Runs the files with node's own test runner and adds its totals to ours. */
function run(what, group, concurrency, wrap) {
  if (group.length === 0) return;
  say(`\n${what}: ${group.length} files`);
  const report = join(scratch, `${what.replace(/\W+/g, "-")}.tap`);
  const [command, args] = wrap(process.execPath, [
    "--test",
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${LONGEST_MS}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=tap",
    `--test-reporter-destination=${report}`,
    ...group,
  ]);
  const started = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  say(`${what}: ${Math.round((performance.now() - started) / 1000)} s`);
  const summary = readFileSync(report, "utf8");
  let failedHere = 0;
  for (const name of Object.keys(totals)) {
    const count = Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(summary)?.[1] ?? 0);
    totals[name] += count;
    if (name !== "pass") failedHere += count;
  }
  // A runner that fell over without naming a test is a failure all the same.
  if (status !== 0 && failedHere === 0) totals.fail++;
}

try {
  run(
    "unit tests",
    files.filter((file) => !isEndToEnd(file)),
    2,
    (command, args) => [command, args],
  );
  const endToEnd = files.filter(isEndToEnd);
  run(
    "end-to-end tests, as root, two at a time",
    endToEnd.filter((file) => !isAlone(file)),
    2,
    asRoot,
  );
  run("end-to-end tests, as root, one by one", endToEnd.filter(isAlone), 1, asRoot);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
// A test that was skipped or left for later has shown nothing, so it counts against us.
const failed = totals.fail + totals.skipped + totals.cancelled + totals.todo;
console.log(`${totals.pass} passed, ${failed} failed`);
process.exit(failed === 0 && totals.pass > 0 ? 0 : 1);
