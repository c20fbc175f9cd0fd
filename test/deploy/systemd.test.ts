import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import test from "node:test";
import { ROOT, read, units } from "./deployments.js";

/** What systemd calls the exposure of a unit, in tenths: below 30 is "OK", 96 is a unit without any hardening. */
const MOST_EXPOSED = 25;

for (const path of units()) {
  test(`${path}: systemd has nothing to say against it, and little of the host lies open to it`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "portolan-unit-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const unit = join(folder, basename(path));
    // The program lies elsewhere here than where it is installed.
    writeFileSync(unit, read(path).replaceAll("/opt/portolan/", ROOT));
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", unit], { encoding: "utf8" });
    assert.equal(verified.stderr, "");
    assert.equal(verified.status, 0);
    const judged = spawnSync("systemd-analyze", ["security", "--offline=true", `--threshold=${MOST_EXPOSED}`, unit], {
      encoding: "utf8",
      env: { ...process.env, SYSTEMD_PAGER: "" },
    });
    assert.equal(judged.status, 0, judged.stdout + judged.stderr);
    assert.match(judged.stdout, /Overall exposure level for [\w-]+\.service: \d/);
  });
}
