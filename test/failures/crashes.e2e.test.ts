import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { seededRandom } from "../../bench/random.js";
import { PortolanProcess } from "../cli/portolan-process.js";
import { startBroker } from "../stream/kafka-broker.js";
import { auditStore, type StoreAudit } from "./audit-store.js";
import { CaptureSender } from "./capture-sender.js";

/**
 * PORTOLAN_CRASHES=100 PORTOLAN_CRASH_SEED=7 node --test dist/test/failures/crashes.e2e.test.js
 * The seed decides the flows, whom to kill, when, and for how long; how the machine schedules it all is not ours.
 */
const KILLS = Number(process.env.PORTOLAN_CRASHES ?? 16);
const IS_TALKATIVE = KILLS > 50;
const SEED = Number(process.env.PORTOLAN_CRASH_SEED ?? 1);

/** Two collectors at 6000 flows/s each, with so little room that an outage of some seconds fills it. */
const LOAD = { packets: 300_000, flowsPerSecond: 1500, speed: 4 };
const SPOOL = "1M";
const STILL_MS = 4_000;
const CATCH_UP_MS = 180_000;

test(`${KILLS} crashes of collectors, analyzer and broker: each flow is stored once, or in a gap with the right count`, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-crashes-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const broker = await startBroker();
  context.after(() => broker.stop());
  const kafka = ["--kafka", broker.bootstrap];
  const random = seededRandom(SEED);
  const store = join(folder, "store.duckdb");

  const senders = ["host-a", "host-b"].map(
    (name, i) =>
      new CaptureSender({ name, folder, seed: SEED + i, ...LOAD, args: [...kafka, "--spool-size", SPOOL, "--json"] }),
  );
  const sending = Promise.all(senders.map((sender) => sender.run()));
  context.after(async () => {
    for (const sender of senders) {
      sender.end();
      await sender.kill(Promise.resolve());
    }
  });
  const analyzerArgs = ["analyzer", ...kafka, "--store", store, "--listen", "127.0.0.1:0"];
  let analyzer = new PortolanProcess(analyzerArgs);
  const startAnalyzer = () => {
    analyzer = new PortolanProcess(analyzerArgs);
  };
  context.after(() => analyzer.kill());

  const kills = { collector: 0, analyzer: 0, broker: 0 };
  const returns = new Map<string, Promise<void>>();
  /** Runs `back` after `ms`; who is down is not killed again. */
  const comeBack = (who: string, ms: number, back: () => Promise<void> | void) => {
    const returning = wait(ms).then(back);
    returns.set(
      who,
      returning.finally(() => returns.delete(who)),
    );
    return returning;
  };
  const startedMs = performance.now();
  for (let killed = 0; killed < KILLS; ) {
    await Promise.race([wait(300 + 2000 * random()), sending]);
    const dice = random();
    const downMs = 2000 * random();
    const sender = senders[dice < 0.175 ? 0 : 1] as CaptureSender;
    if (dice < 0.35) {
      if (returns.has(sender.options.name) || !sender.isRunning) continue;
      await sender.kill(comeBack(sender.options.name, downMs, () => {}));
      kills.collector++;
    } else if (dice < 0.6) {
      if (returns.has("analyzer")) continue;
      await analyzer.kill();
      comeBack("analyzer", downMs, startAnalyzer);
      kills.analyzer++;
    } else {
      if (returns.has("broker")) continue;
      await broker.kill("SIGKILL");
      comeBack("broker", 3 * downMs, () => broker.restart());
      kills.broker++;
    }
    killed++;
    if (IS_TALKATIVE) context.diagnostic(`${killed}: ${JSON.stringify(kills)}`);
  }
  await Promise.all(returns.values());
  const underLoadMs = performance.now() - startedMs;
  for (const sender of senders) sender.end();
  await sending;

  const made = new Map(senders.map((sender) => [sender.options.name, sender.made]));
  let audit = await endAndAudit();
  for (const until = performance.now() + CATCH_UP_MS; audit.faults.length > 0 && performance.now() < until; ) {
    startAnalyzer(); // it may not have reached the end of the log
    audit = await endAndAudit();
  }

  /** Lets the analyzer read until its figures stand still, ends it, and looks into its store. */
  async function endAndAudit(): Promise<StoreAudit> {
    await analyzer.says(/explorer: http/);
    const url = /explorer: (http:\S+)/.exec(analyzer.errors)?.[1];
    const figures = async () => {
      const text = await (await fetch(new URL("/metrics", url))).text();
      return text.replace(/^(?!portolan_analyzer_(flows|batches)).*\n/gm, "");
    };
    let before = await figures();
    for (let stillMs = 0; stillMs < STILL_MS; stillMs += 250) {
      await wait(250);
      const now = await figures();
      if (now !== before) stillMs = 0;
      before = now;
    }
    analyzer.signal("SIGTERM");
    assert.equal(await analyzer.exit(), 0, analyzer.errors);
    return auditStore(store, made);
  }
  const { madeFlows, storedFlows, lostFlows, gaps, faults } = audit;
  const captures = senders.reduce((sum, { captures }) => sum + captures, 0);
  context.diagnostic(
    `seed ${SEED}: ${KILLS} kills (${kills.collector} collectors, ${kills.analyzer} analyzers, ${kills.broker} brokers) in ` +
      `${(underLoadMs / 1000).toFixed(0)} s; ${madeFlows} flows of ${captures} captures made, ${storedFlows} stored, ${lostFlows} in ${gaps} gaps, ` +
      `${faults.length} faults`,
  );
  assert.deepEqual(faults.slice(0, 20), []);
  assert.equal(storedFlows + lostFlows, madeFlows);
});
