import assert from "node:assert/strict";
import test from "node:test";
import { EXIT, exitCodeOf, Failure, failureLines } from "../../cli/failure.js";
import { CaptureError } from "../../collector/capture-file/capture-error.js";
import { LiveCaptureError } from "../../collector/live/live-capture-error.js";
import { parseInventory } from "../../model/inventory-file.js";

function linesOf(source: string): string[] {
  try {
    parseInventory(source, "inventory.yaml");
  } catch (error) {
    return failureLines(error);
  }
  return [];
}

test("each thing wrong in a file has a line", () => {
  assert.deepEqual(linesOf("version: 1\nworkload: []\nlifeline: {}\n").length, 2);
});

test("a file of quite another kind is told in twenty lines and a count, its control characters shown", () => {
  const lines = linesOf("\u0001: [\n".repeat(200));
  assert.equal(lines.length, 21);
  assert.match(lines.at(-1) ?? "", /^and [\d,]+ more like these$/);
  for (const line of failureLines(new Error("\u001b[2Jgone\n"))) assert.equal(line, "\\x1b[2Jgone\\x0a");
});

test("bad input ends with 2, what the environment has to answer for with 3, also behind an error of a room", () => {
  const unreadable = (code: string) =>
    new CaptureError("unreadable", "a.pcap", 0, "Cannot read", { cause: Object.assign(new Error(code), { code }) });
  assert.equal(exitCodeOf(unreadable("ENOENT")), EXIT.input);
  assert.equal(exitCodeOf(unreadable("EACCES")), EXIT.environment);
  assert.equal(exitCodeOf(new LiveCaptureError("no-program", "eth0", "Cannot capture")), EXIT.environment);
  assert.equal(exitCodeOf(new SyntaxError("what")), EXIT.input);
  assert.equal(exitCodeOf(new Failure("no", EXIT.no)), EXIT.no);
});
