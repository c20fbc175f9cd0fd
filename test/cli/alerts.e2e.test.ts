// An analyzer as users run it, a real broker, and receivers on loopback: what enforcers report becomes known to people.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { kafkaCarrier } from "../../stream/kafka/kafka-carrier.js";
import type { AuditAnswer } from "../../web/api/contract.js";
import { syslogServer, webhookServer } from "../analyzer/alerts/alert-receivers.js";
import { reportDocument, sampleEdge } from "../analyzer/alerts/sample-reports.js";
import { startBroker } from "../stream/kafka-broker.js";
import { AnalyzerProcess } from "./analyzer-process.js";

const broker = await startBroker();
const folder = mkdtempSync(join(tmpdir(), `portolan-alerts-${process.pid}-`));
after(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ACCEPTED = (port: number) => `version: 1
accepted:
  - { client: "*", server: "*", service: tcp/${port}, by: Ada Lovelace, note: our own scanner }
`;

/** Polls until it holds. @throws {Error} After two minutes, with what was there instead. */
async function until(holds: () => boolean, found: () => string): Promise<void> {
  for (const end = Date.now() + 120_000; !holds(); await wait(50)) {
    if (Date.now() > end) throw new Error(`Waited in vain; there was ${found()}`);
  }
}

test("a new edge reaches webhook and syslog once, what is accepted meanwhile does not, and nothing is lost to a restart", async (t) => {
  const prefix = `alerts${process.pid}.`;
  const carrier = await kafkaCarrier({ brokers: [broker.bootstrap], clientId: "enforcer", prefix });
  const webhook = await webhookServer();
  const syslog = await syslogServer();
  t.after(async () => {
    await carrier.close();
    await Promise.all([webhook.close(), syslog.close()]);
  });
  let sequence = 0;
  const report = (port: number, verdict: "audited" | "denied" = "audited") => {
    const nowUs = Date.now() * 1000;
    const { text } = reportDocument(++sequence, [sampleEdge({ port, verdict, attempts: 3 }, nowUs)], { atUs: nowUs });
    return carrier.send("portolan.verdicts", { key: "enforcer-1", value: Buffer.from(text), headers: {} });
  };
  const accepted = join(folder, "accepted.yaml");
  writeFileSync(accepted, ACCEPTED(21));
  const args = [
    ...["--kafka", broker.bootstrap, "--kafka-prefix", prefix, "--store", join(folder, "store.duckdb")],
    ...["--accepted", accepted, "--alert-webhook", `http://127.0.0.1:${webhook.port}/hook`],
    ...["--alert-syslog", `tcp://127.0.0.1:${syslog.port}`],
  ];
  let running = new AnalyzerProcess(args);
  t.after(() => running.kill());
  const posted = () => webhook.got.map(({ body }) => JSON.parse(body) as { dst_endpoint: { port: number } });
  const ports = () => posted().map(({ dst_endpoint }) => dst_endpoint.port);
  const says = (pattern: RegExp) =>
    until(
      () => pattern.test(running.log),
      () => running.log,
    );
  const both = async (count: number) => {
    await until(
      () => webhook.got.length >= count && syslog.got.length >= count,
      () => JSON.stringify([webhook.got, syslog.got, running.log]),
    );
    assert.deepEqual([webhook.got.length, syslog.got.length], [count, count]);
  };

  await says(/explorer: /);
  await report(5432);
  await both(1);
  assert.match(
    syslog.got[0] ?? "",
    / would-deny \[portolan@32473 .*service="tcp\/5432".*3 attempts, never counted before/,
  );
  assert.equal(webhook.got[0]?.headers["content-type"], "application/json");

  // The same again is no news, nor is what somebody accepted; what comes after them shows that they were read.
  await report(5432);
  await report(21);
  await report(6379);
  await both(2);

  // Accepted while the analyzer runs, and a faulty file in between that changes nothing.
  writeFileSync(accepted, "version: 7\n");
  await says(/accepted\.yaml:1:10: Cannot read accepted denials/);
  writeFileSync(accepted, ACCEPTED(23));
  await says(/accepted\.yaml" taken over/);
  await report(23);
  await report(80, "denied");
  await both(3);
  assert.deepEqual(ports(), [5432, 6379, 80]);
  assert.match(syslog.got[2] ?? "", / denied \[/);
  const answer = await running.asks<AuditAnswer>(`/api/audit?from=0&until=${Date.now() * 1000 + 60_000_000}`);
  const standing = (port: number) => answer.scopes[0]?.edges.find((edge) => edge.port === port)?.standing;
  assert.deepEqual([standing(23), standing(21), standing(80)], ["accepted", "new", "new"]);

  // Killed and away: what is counted meanwhile is told by the next one, and nothing is told twice. We have a message some
  // time before its sender has noted that.
  for (const receiver of ["webhook", "syslog"]) {
    await running.shows(new RegExp(`^portolan_alerts_waiting\\{receiver="${receiver}"\\} 0$`, "m"));
  }
  await running.kill();
  await report(445);
  await report(80, "denied");
  running = new AnalyzerProcess(args);
  await both(4);
  assert.deepEqual(ports().at(-1), 445);
  await running.stop();
});
