import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { generateCapture, USUAL_TRAFFIC } from "../../bench/generate-capture.js";

const PORTOLAN = fileURLToPath(new URL("../../../bin/portolan", import.meta.url));

function withCapture(use: (path: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-test-"));
  const path = join(folder, "made.pcap");
  generateCapture(path, { ...USUAL_TRAFFIC, packets: 100_000 });
  return Promise.resolve(use(path)).finally(() => rmSync(folder, { recursive: true }));
}

function run(args: readonly string[], input?: Uint8Array) {
  return spawnSync(process.execPath, [PORTOLAN, "flows", ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
  });
}

test("portolan flows prints one JSON object a line, the same from a file and from standard input", () =>
  withCapture((path) => {
    const fromFile = run([path]);
    assert.equal(fromFile.status, 0, fromFile.stderr);
    const flows = fromFile.stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text) as { startUs: number });
    assert.ok(flows.length > 1000);
    const piped = spawnSync("sh", ["-c", `cat "${path}" | "${process.execPath}" "${PORTOLAN}" flows -`], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    assert.equal(piped.stdout, fromFile.stdout);
  }));

test("portolan flows ends quietly when its reader goes away", () =>
  withCapture(async (path) => {
    const child = spawn(process.execPath, [PORTOLAN, "flows", path], { stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += String(chunk);
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(code, 0);
    assert.equal(errors, "");
  }));

test("portolan flows tells in one line and with exit code 2 what it cannot read", () => {
  const { status, stdout, stderr } = run(["/nowhere/none.pcap"]);
  assert.equal(status, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^Cannot read capture "\/nowhere\/none\.pcap": [^\n]+\n$/);
});

test("portolan flows --help defines every field of a flow", () => {
  const { stdout } = run(["--help"]);
  for (const field of [
    "protocol",
    "originator",
    "responder",
    "startUs",
    "outcome",
    "evidence",
    "names",
    "vlan",
    "tunnel",
    "depth",
  ]) {
    assert.match(stdout, new RegExp(`^ {2}${field}`, "m"));
  }
  assert.match(stdout, /Exit codes/);
  assert.match(stdout, /Examples:/);
});
