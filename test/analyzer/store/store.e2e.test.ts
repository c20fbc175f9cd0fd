import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { Store } from "../../../analyzer/store/store.js";
import { StoreError } from "../../../analyzer/store/store-error.js";
import { batchOf, originOf, SECOND, T0 } from "../batches.js";

const WRITER = fileURLToPath(new URL("./store-writer.js", import.meta.url));
const ROWS = 500;

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-store-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A process that appends batch after batch of `ROWS` flows and says the number of each that is stored. */
function startWriter(path: string): {
  child: ChildProcess;
  stored: () => number;
  reached: (count: number) => Promise<void>;
} {
  const child = spawn(process.execPath, [WRITER, path, String(ROWS)], { stdio: ["ignore", "pipe", "inherit"] });
  let last = -1;
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on("line", (line) => {
    last = Number(line);
  });
  const reached = async (count: number) => {
    while (last + 1 < count) await once(lines, "line");
  };
  return { child, stored: () => last + 1, reached };
}

test("a store whose process was killed while it wrote has every batch that it reported, whole, and nothing else", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.duckdb");
    let before = 0;
    for (const more of [3, 5, 8]) {
      const writer = startWriter(path);
      await writer.reached(before + more);
      writer.child.kill("SIGKILL");
      await once(writer.child, "exit");
      const store = await Store.open({ path });
      const [sensor] = await store.sensors();
      const { windows } = await store.conversations({}, "hour");
      const flows = windows.reduce((sum, window) => sum + window.flows.answered, 0);
      assert.ok(sensor !== undefined && sensor.batches >= writer.stored(), "what was reported is there");
      assert.equal(sensor.flows, sensor.batches * ROWS);
      assert.equal(flows, sensor.flows);
      assert.deepEqual(await store.gaps(), []);
      before = sensor.batches;
      await store.close();
    }
  }));

test("a store that another process has open is refused with one line, and free when that process ends", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.duckdb");
    const writer = startWriter(path);
    await writer.reached(1);
    await assert.rejects(Store.open({ path }), (error: unknown) => {
      assert.ok(error instanceof StoreError);
      assert.equal(error.code, "in-use");
      assert.match(error.message, /^Cannot open store ".*a\.duckdb": wanted a file that no other process has open$/);
      return true;
    });
    writer.child.kill("SIGKILL");
    await once(writer.child, "exit");
    await (await Store.open({ path })).close();
  }));

test("a full disk ends a write with one line; what was stored is kept, and the store goes on when there is room again", () =>
  withFolder(async (folder) => {
    const disk = join(folder, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "portolan-test", disk]);
    try {
      const path = join(disk, "a.duckdb");
      const ballast = join(disk, "ballast");
      writeFileSync(ballast, new Uint8Array(6 << 20));
      const store = await Store.open({ path });
      let stored = 0;
      let failure: unknown;
      for (let sequence = 0; sequence < 400 && failure === undefined; sequence++) {
        const flows = Array.from({ length: 2000 }, (_, i) => {
          const noise = Math.imul(sequence * 2000 + i + 1, 0x9e3779b1) >>> 0;
          return {
            from: `10.${noise & 255}.${(noise >>> 8) & 255}.${(noise >>> 16) & 255}`,
            fromPort: noise & 0xffff,
            startUs: T0 + (noise % 3000) * SECOND,
            bytes: [noise, noise ^ 0x5555] as const,
          };
        });
        await store.append([batchOf(originOf("a", sequence), flows)]).then(
          ({ flows: count }) => {
            stored += count;
          },
          (error: unknown) => {
            failure = error;
          },
        );
      }
      assert.ok(failure instanceof StoreError, `stored ${stored} flows without a failure`);
      assert.equal(failure.code, "disk-full", failure.message);
      assert.ok(!failure.message.includes("\n"));

      rmSync(ballast);
      const report = await store.append([batchOf(originOf("b", 0), [{ startUs: T0 }])]);
      assert.equal(report.flows, 1, "the same store goes on when there is room again");
      stored++;
      await store.close();

      const again = await Store.open({ path });
      const { windows } = await again.conversations({}, "hour");
      assert.ok(stored > 0);
      assert.equal(
        windows.reduce((sum, window) => sum + window.flows.answered, 0),
        stored,
      );
      await again.close();
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  }));
