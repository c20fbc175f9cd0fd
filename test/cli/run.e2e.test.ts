import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import type { Condition } from "../../web/api/probes.js";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

test("run tells by HTTP that it is ready, what it has counted, and under which names it may be asked", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-run-"));
  const child = spawn(
    process.execPath,
    [MAIN, "run", "--interface", "lo", "--store", join(folder, "x.duckdb"), "--listen", "127.0.0.1:0"],
    { cwd: folder, env: { ...process.env, PORTOLAN_ALLOWED_HOST: "explorer.test" }, stdio: ["ignore", "pipe", "pipe"] },
  );
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  let told = "";
  for await (const text of child.stderr.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    told += text;
    if (/explorer: http/.test(told) && /capturing with/.test(told)) break;
  }
  const url = /explorer: (http:\S+)/.exec(told)?.[1];
  assert.ok(url !== undefined, told);

  const ready = await fetch(new URL("/readyz", url));
  const { status, conditions } = (await ready.json()) as { status: string; conditions: Condition[] };
  assert.deepEqual([ready.status, status], [200, "ready"]);
  assert.deepEqual(
    conditions.map(({ name, isMet }) => [name, isMet]),
    [
      ["store", true],
      ["capture", true],
    ],
  );

  // The questions themselves are packets on the interface that is watched.
  let metrics = "";
  while (!/^portolan_collector_packets_total [1-9]/m.test(metrics)) {
    metrics = await (await fetch(new URL("/metrics", url))).text();
  }
  assert.match(metrics, /^portolan_build_info\{version="[\d.]+",process="run"\} 1$/m);
  assert.match(metrics, /^portolan_collector_capturing\{interface="lo"\} 1$/m);

  const statusAs = (host: string) =>
    new Promise((resolve, reject) => {
      const asked = get(new URL("/metrics", url), { headers: { host } }, (reply) => resolve(reply.resume().statusCode));
      asked.on("error", reject);
    });
  assert.equal(await statusAs("explorer.test"), 200);
  assert.equal(await statusAs("attacker.test"), 403);

  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 0, told);
});
