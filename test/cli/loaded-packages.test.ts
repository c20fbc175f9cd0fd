import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const MAIN = join(ROOT, "dist/cli/main.js");
const OURS = Object.keys(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).dependencies);
const LAB = join(ROOT, "test/fixtures/lab/lab.pcap");
const NOWHERE = "/portolan/is/not/here";

/**
 * Runs node and says which of our dependencies it loaded, by V8's own list of the scripts that ran: whatever loads them,
 * and however, it is seen. What they load themselves is their business.
 */
async function loaded(t: TestContext, args: readonly string[]) {
  const cwd = mkdtempSync(join(tmpdir(), "portolan-loaded-"));
  t.after(() => rmSync(cwd, { recursive: true }));
  const scripts = join(cwd, "scripts");
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH, NODE_V8_COVERAGE: scripts },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [status] = (await once(child, "close")) as [number];
  const urls = readdirSync(scripts)
    .flatMap((name) => JSON.parse(readFileSync(join(scripts, name), "utf8")).result as { url: string }[])
    .map(({ url }) => url);
  const packages = OURS.filter((name) => urls.some((url) => url.includes(`/node_modules/${name}/`)));
  const rooms = ["collector", "analyzer", "enforcer", "web"].filter((room) =>
    urls.some((url) => url.startsWith(`file://${ROOT}dist/${room}/`)),
  );
  return { status, stderr, packages, rooms };
}

const manifests = ["--target", "kubernetes", "--resources", NOWHERE];
const written = ["--policy", NOWHERE, "--inventory", NOWHERE, "--target", "cilium"];

/** What a verb may load besides commander. It ends with 2 where its files are not there: by then its work is loaded. */
const VERBS: readonly { args: readonly string[]; status: number; packages: readonly string[] }[] = [
  { args: ["--help"], status: 0, packages: [] },
  { args: ["analyzer", "--help"], status: 0, packages: [] },
  { args: ["verdict", "--help"], status: 0, packages: [] },
  { args: ["config", "check"], status: 0, packages: [] },
  { args: ["status", "--socket", NOWHERE], status: 3, packages: [] },
  { args: ["flows", LAB], status: 0, packages: [] },
  { args: ["verdict", ...manifests, "--queries", NOWHERE], status: 2, packages: ["yaml"] },
  { args: ["diff", NOWHERE, NOWHERE, "--target", "calico"], status: 2, packages: ["yaml", "zod"] },
  { args: ["lint", NOWHERE], status: 2, packages: ["yaml"] },
  { args: ["export", ...written, "--out", NOWHERE], status: 2, packages: ["yaml", "zod"] },
  { args: ["verify", ...written, "--bundle", NOWHERE], status: 2, packages: ["yaml", "zod"] },
  { args: ["report", "verify", NOWHERE], status: 2, packages: ["zod"] },
  { args: ["approve", "--approval", NOWHERE, "--key", NOWHERE], status: 2, packages: ["jose", "yaml", "zod"] },
  {
    args: ["enforce", "--host", "a", "--state", "state", "--keyring", NOWHERE],
    status: 2,
    packages: ["jose", "yaml", "zod"],
  },
  {
    args: ["collect", "--read", LAB, "--kafka", "127.0.0.1:9", "--kafka-tls-ca", NOWHERE],
    status: 2,
    packages: ["apache-arrow", "kafkajs", "lz4-napi", "zod"],
  },
];

for (const { args, status, packages } of VERBS) {
  const shown = args.map((arg) => (arg === LAB ? "FILE" : arg.replace(NOWHERE, "nowhere"))).join(" ");
  test(`portolan ${shown} loads ${["commander", ...packages].join(", ")} and nothing else`, async (t) => {
    const found = await loaded(t, [MAIN, ...args]);
    assert.deepEqual([found.status, found.packages], [status, ["commander", ...packages].sort()], found.stderr);
  });
}

test("a verb that asks the enforcer loads no room but the enforcer's, and no package", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-asked-"));
  const server = createServer((socket) => socket.end('{"isDone":true,"text":"paused"}\n')).listen(join(folder, "sock"));
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const found = await loaded(t, [MAIN, "pause", "--socket", join(folder, "sock")]);
  assert.deepEqual([found.status, found.packages, found.rooms], [0, ["commander"], ["enforcer"]], found.stderr);
});

test("the kernel is opened without any package, for when no enforcer runs", async (t) => {
  const found = await loaded(t, ["--import", join(ROOT, "dist/enforcer/nft-kernel.js"), "--eval", ""]);
  assert.deepEqual([found.status, found.packages, found.rooms], [0, [], ["enforcer"]], found.stderr);
});
