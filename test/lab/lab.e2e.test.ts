import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { parseInventory } from "../../model/inventory-file.js";
import { countPackets } from "./capture.js";
import { edgeKey, intendedEdges } from "./intent.js";
import { removeLeftovers } from "./lab.js";
import { run } from "./shell.js";
import { parseTruth } from "./truth.js";

const MAIN = fileURLToPath(new URL("./main.js", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "portolan-lab-test-"));
after(() => rmSync(out, { recursive: true, force: true }));

function startLab(folder: string): { readonly child: ChildProcess; readonly told: () => string } {
  const child = spawn(process.execPath, [MAIN, "--minutes", "1", "--out", folder], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let told = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  return { child, told: () => told };
}

function ended(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
}

async function says(lab: ReturnType<typeof startLab>, text: string): Promise<void> {
  while (!lab.told().includes(text)) {
    assert.equal(lab.child.exitCode ?? lab.child.signalCode, null, lab.told());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Everything that bears the name of one lab: namespaces, their settings, its folder. */
async function tracesOf(pid: number): Promise<readonly string[]> {
  const mark = `portolan-lab-${pid}-`;
  const { stdout } = await run("ip", ["netns", "list"]);
  const configured = existsSync("/etc/netns") ? readdirSync("/etc/netns") : [];
  return [...stdout.split("\n"), ...configured, ...readdirSync(tmpdir())].filter((name) => name.startsWith(mark));
}

test("a minute in the lab writes a capture, an inventory and a truth that agree, and leaves nothing behind", async () => {
  const lab = startLab(out);
  assert.equal(await ended(lab.child), 0, lab.told());
  const { packets, twice } = countPackets(join(out, "lab.pcap"));
  assert.ok(packets > 1000, `${packets} packets`); // of slow calls there are fewer
  assert.equal(twice, 0);
  const rows = parseTruth(readFileSync(join(out, "truth.tsv"), "utf8"));
  const allowed = rows.filter(({ expect }) => expect === "allow");
  assert.deepEqual(allowed.map(edgeKey).sort(), intendedEdges().map(edgeKey).sort());
  assert.ok(rows.some(({ note }) => note === "scanner, the port answered"));
  const inventory = parseInventory(readFileSync(join(out, "inventory.yaml"), "utf8"), "inventory.yaml");
  const before = inventory.workloads.find(({ id }) => id === "shop/worker-a");
  const later = inventory.workloads.find(({ id }) => id === "shop/worker-b");
  assert.deepEqual(
    before?.addresses.map(({ address, untilUs }) => ({ address, fromUs: untilUs })),
    later?.addresses,
  );
  assert.deepEqual(await tracesOf(lab.child.pid as number), []);
});

test("an interrupted lab leaves nothing behind", async () => {
  const folder = join(out, "interrupted");
  const lab = startLab(folder);
  await says(lab, "workloads work for");
  lab.child.kill("SIGINT");
  assert.equal(await ended(lab.child), 130, lab.told());
  assert.deepEqual(await tracesOf(lab.child.pid as number), []);
  assert.deepEqual(readdirSync(folder), []);
});

test("what a killed lab left behind is removed by the next one", async () => {
  const lab = startLab(join(out, "killed"));
  await says(lab, "starting the servers");
  lab.child.kill("SIGKILL");
  await ended(lab.child);
  assert.notDeepEqual(await tracesOf(lab.child.pid as number), []);
  await removeLeftovers();
  assert.deepEqual(await tracesOf(lab.child.pid as number), []);
});

test("wrong usage is refused in one line and exit status 2", async () => {
  const ran = await run(process.execPath, [MAIN, "--minutes", "0", "--out", out]);
  assert.equal(ran.status, 2);
  assert.match(ran.stderr, /^Cannot run for "0" minutes: wanted 1 to 1440\n/);
});
