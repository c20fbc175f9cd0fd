import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Spool } from "../../../collector/spool/spool.js";
import { Accounts, testBatch } from "./batches.js";

const LIMIT = 64 << 20; // never reached: the disk is smaller
const FULL = /^ENOSPC: no space left on device/;

/** A disk of one MiB. */
function diskFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-disk-"));
  const run = (...args: string[]) =>
    assert.equal(spawnSync(args[0] as string, args.slice(1)).status, 0, args.join(" "));
  run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
  context.after(() => {
    run("umount", "--lazy", folder);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

class Scene {
  readonly made = new Map<string, number>();
  readonly accounts = new Accounts();
  sequence = 0;
  nowMs = 0;
  readonly spool: Spool;

  constructor(folder: string) {
    this.spool = Spool.open({ folder, limitBytes: LIMIT, nowMs: () => this.nowMs });
  }

  take(count: number): void {
    for (let i = 0; i < count; i++) {
      this.spool.take(testBatch(this.sequence, 500));
      this.made.set(`boot-1/0#${this.sequence}`, 500);
      this.sequence++;
      this.nowMs += 10;
    }
  }

  send(): void {
    for (let flight = this.spool.next(); flight !== undefined; flight = this.spool.next()) {
      this.accounts.take(flight.messages);
      this.spool.acknowledge(flight);
    }
  }

  async end(): Promise<void> {
    this.send();
    assert.deepEqual(this.accounts.faults(this.made), []);
    await this.spool.close();
  }
}

test("while the disk is full and the broker is there, nothing is lost", async (context) => {
  const folder = diskFor(context);
  writeFileSync(join(folder, "other"), Buffer.alloc(1 << 20).subarray(0, (1 << 20) - 8192));
  const scene = new Scene(folder);
  for (let round = 0; round < 50; round++) {
    scene.take(10);
    scene.send();
  }
  assert.match(scene.spool.status().fault ?? "", FULL);
  assert.equal(scene.accounts.arrived.size, 500);
  await scene.end();
});

test("what fits neither on the disk nor in memory is counted, and it goes on when there is room", async (context) => {
  const folder = diskFor(context);
  const scene = new Scene(folder);
  scene.take(10);
  assert.equal(scene.spool.status().fault, undefined);
  scene.take(990); // 21 MB: one on the disk, eight in memory
  const full = scene.spool.status();
  assert.match(full.fault ?? "", FULL);
  assert.ok(full.lostBatches > 300 && full.lostBatches < 700, `${full.lostBatches} lost`);
  assert.equal(full.lostFlows, 500 * full.lostBatches);
  assert.equal(full.batches + full.lostBatches, 1000);
  scene.send();
  scene.nowMs += 2000; // the disk is asked again
  scene.take(10);
  assert.equal(scene.spool.status().fault, undefined);
  assert.equal(scene.spool.status().lostBatches, full.lostBatches);
  await scene.end();
  assert.deepEqual(
    [...scene.accounts.lost.values()].map(({ flows, reason }) => ({ flows, reason })),
    [{ flows: full.lostFlows, reason: "disk-full" }],
  );
});

test("a process that dies on a full disk leaves what was on it", async (context) => {
  const folder = diskFor(context);
  const scene = new Scene(folder);
  scene.take(100);
  assert.match(scene.spool.status().fault ?? "", FULL);
  writeFileSync(join(folder, "owner"), "1 0"); // nothing more is written, and the owner is dead
  const next = new Scene(folder);
  assert.equal(next.spool.wasClean, false);
  next.send();
  const sequences = [...next.accounts.arrived.keys()].map((key) => Number(key.split("#")[1]));
  assert.ok(sequences.length > 30, `${sequences.length} left`);
  assert.deepEqual(sequences, [...sequences.keys()]);
  await next.spool.close();
});
