import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { collectorMetrics } from "../../../cli/metrics/collector-metrics.js";
import { counter, gauge, measured, type Reading } from "../../../cli/metrics/family.js";
import { parseProbesListen } from "../../../cli/metrics/metrics-options.js";
import { metricsRegistry } from "../../../cli/metrics/registry.js";
import { serveProbes } from "../../../cli/metrics/serve-probes.js";
import { probesOf, showProbes } from "../../../cli/metrics/show-probes.js";
import type { Condition } from "../../../web/api/probes.js";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-probes-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const failWith = (error: unknown) => assert.fail(String(error));

const met: Condition = { name: "store", isMet: true, isNeeded: true, text: "open" };

async function ownLines(read: () => Reading, kind: "counter" | "gauge", labels: readonly string[] = []) {
  const family = (kind === "counter" ? counter : gauge)("portolan_test_x", "Test", labels);
  const registry = metricsRegistry("run", "1", [measured(family, read)]);
  const lines = async () => (await registry.metrics()).split("\n").filter((line) => line.startsWith("portolan_test_x"));
  await lines();
  return lines(); // the second reading takes the place of the first
}

for (const kind of ["counter", "gauge"] as const) {
  test(`a ${kind} shows the figure of the moment, and nothing where it is unknown`, async () => {
    assert.deepEqual(await ownLines(() => 7, kind), ["portolan_test_x 7"]);
    assert.deepEqual(await ownLines(() => 0, kind), ["portolan_test_x 0"]);
    assert.deepEqual(await ownLines(() => "unknown", kind), []);
    assert.deepEqual(await ownLines(() => undefined, kind), []);
    const samples = [{ labels: { reason: 'a"b\n' }, value: 1 }];
    assert.deepEqual(await ownLines(() => samples, kind, ["reason"]), ['portolan_test_x{reason="a\\"b\\n"} 1']);
    assert.deepEqual(await ownLines(() => [], kind, ["reason"]), []);
  });
}

test("a collector that cannot tell its losses has no loss metric", async () => {
  const totals = {
    ...{ packets: 5, wireBytes: 500, fromUs: 1e6, untilUs: 2e6, flows: 2, evicted: 0, batches: 1 },
    dropped: { "not-ip": 1, truncated: 0, malformed: 0, "too-deep": 0, "orphan-fragment": 0 },
  };
  const text = async (lost: number | "unknown") => {
    const view = {
      isCapturing: () => [["eth0", true]],
      totals: () => ({ ...totals, lost }),
      sendFailures: () => 0,
    };
    return metricsRegistry("collect", "1", collectorMetrics(view as never)).metrics();
  };
  assert.match(await text(3), /^portolan_collector_packets_lost_total 3$/m);
  assert.doesNotMatch(await text("unknown"), /^portolan_collector_packets_lost_total /m);
  assert.match(await text(3), /^portolan_collector_last_packet_timestamp_seconds 2$/m);
});

test("a process is ready when all it needs is met; an unknown need is not, an unmet wish does not matter", async (t) => {
  let conditions: readonly Condition[] = [met];
  const served = await serveProbes(
    probesOf("collect", () => conditions, []),
    { host: "127.0.0.1", port: 0 },
  );
  t.after(() => served.close());
  const ready = async () => (await fetch(new URL("/readyz", served.address))).status;
  assert.equal(await ready(), 200);
  conditions = [met, { ...met, name: "caught-up", isMet: false, isNeeded: false }];
  assert.equal(await ready(), 200);
  for (const isMet of [false, "unknown"] as const) {
    conditions = [met, { ...met, isMet }];
    assert.equal(await ready(), 503);
    assert.equal((await fetch(new URL("/healthz", served.address))).status, 200);
  }
  const body = (await (await fetch(new URL("/readyz", served.address))).json()) as { conditions: Condition[] };
  assert.deepEqual(body.conditions, conditions);
});

test("the listener answers its three paths and nothing else", async (t) => {
  const served = await serveProbes(
    probesOf("collect", () => [met], []),
    { host: "127.0.0.1", port: 0 },
  );
  t.after(() => served.close());
  const ask = (path: string, method = "GET") => fetch(new URL(path, served.address), { method });
  const metrics = await ask("/metrics");
  assert.equal(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.match(await metrics.text(), /^portolan_build_info\{version="[\d.]+",process="collect"\} 1$/m);
  assert.equal((await ask("/metrics?x=1")).status, 200);
  assert.equal((await ask("/metrics", "HEAD")).status, 200);
  assert.equal((await ask("/metrics", "POST")).status, 405);
  for (const path of ["/", "/metrics/x", "/api/graph", "/%6detrics"]) assert.equal((await ask(path)).status, 404);
  await assert.rejects(
    serveProbes(
      probesOf("collect", () => [], []),
      { host: "127.0.0.1", port: Number(new URL(served.address).port) },
    ),
    /^ListenError: Cannot listen on "127\.0\.0\.1:\d+": wanted a port that is not in use$/,
  );
});

test("a socket in the file system takes the place of one that a killed process left, and of nothing else", async (t) => {
  const socket = join(folderOf(t), "probes.sock");
  const probes = probesOf("enforce", () => [met], []);
  const get = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ socketPath: socket, path }, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
  const first = await serveProbes(probes, { socket });
  const second = await serveProbes(probes, { socket }); // as after a kill: the path is taken
  assert.equal(await get("/readyz"), 200);
  await Promise.all([first.close(), second.close()]);
  const file = `${socket}.file`;
  writeFileSync(file, "mine");
  await assert.rejects(serveProbes(probes, { socket: file }), /^ListenError: Cannot listen on /);
  assert.equal(readFileSync(file, "utf8"), "mine");
});

test("the metrics file is whole, and gone when the process has ended", async (t) => {
  const folder = folderOf(t);
  const shown = await showProbes(
    probesOf("enforce", () => [met], []),
    { metricsFile: join(folder, "portolan.prom") },
    failWith,
  );
  assert.deepEqual(readdirSync(folder), ["portolan.prom"]);
  assert.match(readFileSync(join(folder, "portolan.prom"), "utf8"), /process="enforce"\} 1\n[\s\S]*\n$/);
  await shown.close();
  assert.deepEqual(readdirSync(folder), []);
  const nowhere = { metricsFile: join(folder, "not", "there.prom"), metricsListen: { host: "127.0.0.1", port: 0 } };
  await assert.rejects(
    showProbes(
      probesOf("enforce", () => [met], []),
      nowhere,
      failWith,
    ),
    { code: "ENOENT" },
  );
});

test("where probes are served is a port or an absolute path", () => {
  assert.deepEqual(parseProbesListen("0.0.0.0:9481"), { host: "0.0.0.0", port: 9481 });
  assert.deepEqual(parseProbesListen("unix:/run/x.sock"), { socket: "/run/x.sock" });
  for (const text of ["unix:", "unix:x.sock", `unix:/${"x".repeat(107)}`, "here"]) {
    assert.throws(() => parseProbesListen(text), { code: "commander.invalidArgument" }, text);
  }
});
