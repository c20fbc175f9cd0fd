import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { makeNamespacePair, type NamespacePair } from "../../../bench/namespace-pair.js";
import type { CollectorTotals } from "../../../collector/live/flow-collector.js";
import type { FlowRecord } from "../../../model/flow-record.js";

const PROGRAM = fileURLToPath(new URL("./collect-program.js", import.meta.url));
const TCP = 6;
const UDP = 17;
const PORT = 9999;
/** What tcpdump hands out of a long packet: its own header and as much as the collector asks for. */
const SNAPPED_BYTES = 16 + 512;
const BUFFERED_BYTES = 1 << 20; // more than pipes and buffers hold back

interface Told {
  readonly state?: { readonly kind: string; readonly program?: string; readonly error?: string };
  readonly flow?: FlowRecord;
  readonly loss?: { readonly dropped: number | "unknown" };
  readonly seen?: number; // packets so far
  readonly busy?: true;
  readonly totals?: CollectorTotals;
}

/** The collector in a process of its own, in the right namespace, and what it has told so far. */
class CollectorProcess {
  readonly told: Told[] = [];
  errors = "";
  readonly #child: ChildProcess;

  constructor(pair: NamespacePair, wrap: readonly string[] = [], fifo = "", captureOn = pair.rightInterface) {
    const command = ["netns", "exec", pair.right, ...wrap, process.execPath, PROGRAM, captureOn, fifo];
    this.#child = spawn("ip", command, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let rest = "";
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.told.push(JSON.parse(line) as Told);
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.errors += text;
    });
  }

  get pid(): number {
    return this.#child.pid as number; // `ip netns exec` becomes the command
  }

  /** Resolves when something told meets `isWanted`; fails when the process ends before. */
  async until(isWanted: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.told.find(isWanted);
      if (found !== undefined) return found;
      const { exitCode, signalCode } = this.#child;
      assert.equal(exitCode ?? signalCode, null, `the collector ended: ${this.errors}`);
      await wait(20);
    }
  }

  async untilState(kind: string, nth = 1): Promise<void> {
    await this.until(() => this.told.filter((told) => told.state?.kind === kind).length >= nth);
  }

  /** To its whole process group, as Ctrl-C in a terminal does it. */
  signal(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  async exit(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "close");
    return this.#child.exitCode;
  }

  /** Ends it in good order; everything it collected has been told then. */
  async stop(): Promise<CollectorTotals> {
    this.signal("SIGTERM");
    assert.equal(await this.exit(), 0, this.errors);
    return this.told.at(-1)?.totals as CollectorTotals;
  }

  datagrams(): number {
    return this.told.reduce((sum, { flow }) => {
      const isOurs = flow?.protocol === UDP && flow.responder.port === PORT;
      return isOurs ? sum + flow.originator.packets : sum;
    }, 0);
  }
}

function pairFor(context: TestContext): NamespacePair {
  const pair = makeNamespacePair();
  context.after(() => pair.remove());
  return pair;
}

/**
 * Sends datagrams to the right, from the left unless `from` says otherwise, `count` from each of three ports. It pauses now and then: `cap` promises
 * nothing about bursts on a busy machine.
 */
function sendDatagrams(pair: NamespacePair, count: number, bytes = 100, from = pair.left): void {
  const script = `
    const sockets = [0, 1, 2].map(() => require("node:dgram").createSocket("udp4"));
    const send = (socket) => new Promise((done) => socket.send("x".repeat(${bytes}), ${PORT}, "10.77.0.2", done));
    (async () => {
      for (let i = 0; i < ${count}; i++) {
        for (const socket of sockets) await send(socket);
        if (i % 50 === 49) await new Promise((done) => setTimeout(done, 5));
      }
      for (const socket of sockets) socket.close();
    })();`;
  const { status, stderr } = spawnSync("ip", ["netns", "exec", from, process.execPath, "-e", script], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}

/** Bytes that a process has read, its threads included; NaN where the kernel keeps no account of it. */
function bytesRead(pid: number): number {
  const path = `/proc/${pid}/io`;
  return existsSync(path) ? Number(/^rchar: (\d+)$/m.exec(readFileSync(path, "utf8"))?.[1]) : Number.NaN;
}

/** Opens a FIFO that its reader is about to open. Without blocking: a reader that has gone would be waited for for ever. */
async function openForWriting(fifo: string): Promise<number> {
  for (const end = Date.now() + 60_000; ; await wait(20)) {
    try {
      return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENXIO" || Date.now() > end) throw error;
    }
  }
}

/** A connection that nobody takes: a flow that ends at once, and is told of while the capture goes on. */
function knock(pair: NamespacePair): void {
  const script = `require("node:net").connect(${PORT}, "10.77.0.2").on("error", () => {})`;
  spawnSync("ip", ["netns", "exec", pair.left, process.execPath, "-e", script]);
}

/** Children of all threads of a process. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  });
}

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) await wait(20);
}

const WITHOUT_TCPDUMP = ["env", "PATH=/nonexistent"];

for (const [program, wrap] of [
  ["tcpdump", []],
  ["cap", WITHOUT_TCPDUMP],
] as const) {
  test(`every datagram is counted through ${program}, also when it ends right after the last`, async (context) => {
    const pair = pairFor(context);
    const collector = new CollectorProcess(pair, wrap);
    await collector.untilState("capturing");
    // The ring of `cap` has as few as 2048 slots: no more at a time than it holds, should nobody read for seconds.
    const rounds = program === "cap" ? 4 : 1;
    for (let round = 0; round < rounds; round++) {
      await collector.until(({ seen = 0 }) => seen >= round * (6000 / rounds));
      sendDatagrams(pair, 2000 / rounds);
    }
    const totals = await collector.stop();
    assert.equal(collector.told.find((told) => told.state)?.state?.program, program);
    assert.equal(collector.datagrams(), 6000);
    assert.equal(totals.lost, program === "tcpdump" ? 0 : "unknown");
    assert.equal(collector.errors, "");
  });

  test(`the capture through ${program} waits for an interface that vanished and goes on when it is back`, async (context) => {
    const pair = pairFor(context);
    const collector = new CollectorProcess(pair, wrap);
    await collector.untilState("capturing");
    sendDatagrams(pair, 100);
    // What lies in the kernel's ring when the interface goes is lost with it, so this comes behind the last datagram.
    knock(pair);
    await collector.until(({ flow }) => flow?.protocol === TCP);
    pair.cut();
    await collector.untilState("waiting");
    pair.join();
    await collector.untilState("capturing", 2);
    sendDatagrams(pair, 50);
    const totals = await collector.stop();
    assert.equal(collector.datagrams(), 450);
    assert.equal(totals.lost, "unknown");
    const waiting = collector.told.filter((told) => told.state?.kind === "waiting");
    assert.match(waiting[0]?.state?.error ?? "", /^Cannot capture on "r0": [^\n]+$/);
  });

  test(`a capture through ${program} does not outlive a collector that is killed`, async (context) => {
    const pair = pairFor(context);
    const collector = new CollectorProcess(pair, wrap);
    await collector.untilState("capturing");
    const children = childrenOf(collector.pid);
    assert.ok(children.length > 0);
    collector.signal("SIGKILL");
    await untilGone(children);
  });

  test(`without the permission to capture through ${program} one line says so`, async (context) => {
    const unprivileged = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    const collector = new CollectorProcess(pairFor(context), [...unprivileged, ...wrap]);
    assert.equal(await collector.exit(), 3);
    assert.match(collector.errors, /^Cannot capture on "r0": permission to capture is missing[^\n]+\n$/);
  });
}

for (const captureOn of ["lo", "any"]) {
  test(`a packet on the loopback is one packet, and no loss, to a capture on "${captureOn}"`, async (context) => {
    const pair = pairFor(context);
    const collector = new CollectorProcess(pair, [], "", captureOn);
    await collector.untilState("capturing");
    sendDatagrams(pair, 200, 100, pair.right);
    const totals = await collector.stop();
    assert.equal(collector.datagrams(), 600);
    assert.equal(totals.lost, 0);
  });
}

test("what the kernel drops while nobody reads is counted and told with the batches", async (context) => {
  const pair = pairFor(context);
  const collector = new CollectorProcess(pair);
  await collector.untilState("capturing");
  const tcpdump = childrenOf(collector.pid).find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8") === "tcpdump\n");
  assert.ok(tcpdump !== undefined);
  process.kill(tcpdump, "SIGSTOP");
  sendDatagrams(pair, 30_000, 1400); // more than its ring of 32 MiB holds at 512 bytes each
  process.kill(tcpdump, "SIGCONT");
  const { lost } = await collector.stop();
  assert.ok(typeof lost === "number" && lost > 0, `lost ${lost}`);
  const missing = 90_000 - collector.datagrams();
  // ARP may be lost too: neighbours ask now and then, more often where the sender takes long.
  assert.ok(missing > 0 && missing <= lost && lost - missing < 200, `lost ${lost}, missing ${missing}`);
  const told = new Map(collector.told.flatMap(({ flow, loss }) => (flow && loss ? [[loss.dropped, loss]] : [])));
  assert.equal(
    [...told.keys()].reduce<number>((sum, dropped) => sum + Number(dropped), 0),
    lost,
  );
});

test("nothing is lost while the main thread is busy", async (context) => {
  const pair = pairFor(context);
  const folder = mkdtempSync(join(tmpdir(), "portolan-busy-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const fifo = join(folder, "fifo");
  assert.equal(spawnSync("mkfifo", [fifo]).status, 0);
  const collector = new CollectorProcess(pair, [], fifo);
  await collector.untilState("capturing");
  collector.signal("SIGUSR2");
  await collector.until((told) => told.busy === true);
  // More than the ring, the pipe and all buffers hold, but no more at a time than the ring has room for: it is the main
  // thread that is busy here, and where tcpdump gets no turn for seconds it loses packets by itself.
  const before = bytesRead(collector.pid);
  for (let sent = 5_000; sent <= 30_000; sent += 5_000) {
    sendDatagrams(pair, 5_000, 1400);
    const wanted = before + 3 * sent * SNAPPED_BYTES - BUFFERED_BYTES;
    for (const end = Date.now() + 60_000; bytesRead(collector.pid) < wanted; ) {
      assert.ok(Date.now() < end, "nobody reads what tcpdump hands out");
      await wait(20);
    }
  }
  const end = await openForWriting(fifo);
  writeSync(end, "enough");
  closeSync(end);
  const { lost } = await collector.stop();
  assert.equal(collector.datagrams(), 90_000);
  assert.equal(lost, 0);
});

test("an interface that is not there is refused in one line", async (context) => {
  const pair = pairFor(context);
  pair.cut();
  const collector = new CollectorProcess(pair);
  assert.equal(await collector.exit(), 2);
  assert.match(collector.errors, /^Cannot capture on "r0": there is no such interface[^\n]+\n$/);
});

test("a lone packet is told of while the capture runs", async (context) => {
  const pair = pairFor(context);
  const collector = new CollectorProcess(pair);
  await collector.untilState("capturing");
  knock(pair);
  const told = await collector.until(({ flow }) => flow?.responder.port === PORT);
  assert.equal(told.flow?.outcome, "refused");
  assert.equal(told.flow?.evidence, "syn");
  await collector.stop();
});
