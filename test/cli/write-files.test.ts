import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { writeFiles } from "../../cli/write-files.js";

test("writeFiles() makes the folders that its files need", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-write-"));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFiles(join(folder, "new/one"), [{ path: "deep/er/file.txt", text: "text" }]);
  assert.equal(readFileSync(join(folder, "new/one/deep/er/file.txt"), "utf8"), "text");
});

test("writeFiles() refuses at once what lies below a folder that takes no children", { timeout: 120_000 }, () => {
  assert.throws(() => writeFiles("/proc/no-such-folder/below", [{ path: "file.txt", text: "" }]), {
    message: /^Cannot write "\/proc\/no-such-folder\/below\/file.txt": ENOENT/,
  });
});
