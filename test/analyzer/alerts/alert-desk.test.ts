import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Alert } from "../../../analyzer/alerts/alert.js";
import { AlertDesk, type AlertDeskOptions } from "../../../analyzer/alerts/alert-desk.js";
import { alertOcsf } from "../../../analyzer/alerts/alert-ocsf.js";
import type { AlertReceiver } from "../../../analyzer/alerts/alert-receiver.js";
import { syslogReceiver } from "../../../analyzer/alerts/syslog-receiver.js";
import { webhookReceiver, webhookSignature } from "../../../analyzer/alerts/webhook-receiver.js";
import { Store } from "../../../analyzer/store/store.js";
import { EMPTY_INVENTORY } from "../../../model/workload.js";
import { authority } from "../../stream/kafka-certificates.js";
import { datagramServer, syslogServer, until, webhookServer } from "./alert-receivers.js";
import { MINUTE, reportDocument, sampleEdge, T0 } from "./sample-reports.js";

const SENDER = { host: "chart-1", pid: 42 };
const SECRET = "a secret of the tests";

const webhook = (port: number): AlertReceiver =>
  webhookReceiver({
    url: new URL(`http://127.0.0.1:${port}/alerts`),
    secret: SECRET,
    nowMs: () => Date.UTC(2026, 0, 5, 8),
    body: (alert) => alertOcsf(alert, "1.0.0"),
    software: "portolan/1.0.0",
  });

/** A store with a desk that can be closed and opened again, as by another process. */
async function workplace(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), `portolan-alerts-${process.pid}-`));
  const store = await Store.open({ path: ":memory:" });
  const said: string[] = [];
  let sequence = 0;
  let desk: AlertDesk | undefined;
  const place = {
    said,
    folder: join(folder, "spool"),
    store,
    /** Enforcers count these ports for the first time. */
    async count(ports: readonly number[], atUs = T0) {
      const edges = ports.map((port) => sampleEdge({ port }, atUs));
      await store.keepAudit([reportDocument(sequence++, edges, { atUs })]);
    },
    async open(receivers: readonly AlertReceiver[], over: Partial<AlertDeskOptions> = {}): Promise<AlertDesk> {
      desk = AlertDesk.open({
        source: { denialsSince: (after) => store.denialsSince(after), inventory: () => EMPTY_INVENTORY },
        receivers,
        folder: place.folder,
        perMinute: 1000,
        quietUs: 1440 * MINUTE,
        accepted: () => [],
        lookEveryMs: 10,
        firstPauseMs: 10,
        lastPauseMs: 40,
        nowMs: () => Date.UTC(2026, 0, 5, 9),
        say: (line) => said.push(line),
        ...over,
      });
      // The first look only notes where the trail ends.
      await until(() => readdirSync(place.folder).includes("state.json"));
      return desk;
    },
  };
  t.after(async () => {
    await desk?.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return place;
}

const portsOf = (posts: readonly { readonly body: string }[]) =>
  posts.map(({ body }) => JSON.parse(body).dst_endpoint?.port ?? JSON.parse(body).activity_name);
const serviceOf = (lines: readonly string[]) => lines.map((line) => Number(/service="tcp\/(\d+)"/.exec(line)?.[1]));

test("a webhook is told of each new edge once, signed, and of none that the trail held before", async (t) => {
  const place = await workplace(t);
  await place.count([1, 2]);
  const server = await webhookServer();
  t.after(() => server.close());
  const desk = await place.open([webhook(server.port)]);
  await place.count([2, 3]);
  await place.count([3, 4]);
  await until(() => server.got.length >= 2);
  await place.count([3, 4, 5]);
  await until(() => server.got.length >= 3);
  assert.deepEqual(portsOf(server.got), [3, 4, 5]);
  for (const { headers, body } of server.got) {
    const seconds = Number(headers["x-portolan-timestamp"]);
    assert.equal(headers["x-portolan-signature"], webhookSignature(SECRET, seconds, body));
    assert.equal(headers["x-portolan-delivery"], JSON.parse(body).metadata.uid);
    assert.equal(headers["content-type"], "application/json");
  }
  await until(() => desk.figures().receivers[0]?.waiting === 0); // it counts when the answer has come back
  const [figures] = desk.figures().receivers;
  assert.deepEqual(figures, { name: "webhook", sent: 3, failures: 0, refused: 0, waiting: 0, lost: 0, dropped: 0 });
});

test("a webhook that is down, then broken, then up gets everything in order, across a restart of ours", async (t) => {
  const place = await workplace(t);
  const first = await webhookServer();
  const { port } = first;
  await first.close();
  let desk = await place.open([webhook(port)]);
  await place.count([1, 2]);
  await until(() => (desk.figures().receivers[0]?.failures ?? 0) >= 3);
  await desk.close();
  await place.count([3]);
  desk = await place.open([webhook(port)]);
  await until(() => desk.figures().receivers[0]?.waiting === 3);
  const server = await webhookServer(port, { status: 503 });
  t.after(() => server.close());
  const before = desk.figures().receivers[0]?.failures ?? 0;
  await until(() => (desk.figures().receivers[0]?.failures ?? 0) > before + 1);
  assert.deepEqual(server.got, []);
  server.answer.status = 200;
  await place.count([4]);
  await until(() => server.got.length >= 4);
  assert.deepEqual(portsOf(server.got), [1, 2, 3, 4]);
  assert.equal(new Set(server.got.map(({ headers }) => headers["x-portolan-delivery"])).size, 4);
  await until(() => readdirSync(place.folder).filter((name) => /^\d/.test(name)).length === 0);
  // Said once for each time that it went, not for each attempt.
  assert.equal(place.said.filter((line) => /^alerts to webhook wait/.test(line)).length, 2);
  assert.equal(place.said.filter((line) => /arrive again/.test(line)).length, 1);
});

test("an alert that a webhook will never take is given up, said and counted, and does not hold up the next", async (t) => {
  const place = await workplace(t);
  const server = await webhookServer(undefined, { status: 413 });
  t.after(() => server.close());
  const desk = await place.open([webhook(server.port)]);
  await place.count([1]);
  await until(() => desk.figures().receivers[0]?.refused === 1);
  server.answer.status = 200;
  await place.count([2]);
  await until(() => server.got.length === 1);
  assert.deepEqual(portsOf(server.got), [2]);
  assert.deepEqual(place.said, [
    `an alert to webhook is given up: webhook http://127.0.0.1:${server.port} answered 413`,
  ]);
});

test("beyond the rate one summary tells how many edges there were, and the trail names them", async (t) => {
  const place = await workplace(t);
  const server = await webhookServer();
  t.after(() => server.close());
  const desk = await place.open([webhook(server.port)], { perMinute: 60 });
  await place.count(Array.from({ length: 500 }, (_, i) => i + 1));
  await until(() => portsOf(server.got).includes("more"));
  const more = server.got.map(({ body }) => JSON.parse(body)).find(({ class_uid }) => class_uid === 0);
  assert.equal(more.unmapped.edges, 440);
  assert.match(more.message, /^440 more edges that no rule permits/);
  assert.equal(server.got.length, 61);
  assert.deepEqual([desk.figures().edges.audited, desk.figures().summarised], [60, 440]);
});

test("what is held back survives a restart", async (t) => {
  const place = await workplace(t);
  const server = await webhookServer();
  t.after(() => server.close());
  const desk = await place.open([webhook(server.port)], { perMinute: 1 });
  await place.count([1, 2, 3]);
  await until(() => server.got.length === 1);
  await desk.close();
  await place.open([webhook(server.port)], { perMinute: 1 });
  await until(() => server.got.length === 2);
  assert.equal(JSON.parse(server.got[1]?.body ?? "").unmapped.edges, 2);
});

test("a spool that is full pushes out the oldest, and the receiver is told how many are missing", async (t) => {
  const place = await workplace(t);
  const first = await webhookServer();
  await first.close();
  const desk = await place.open([webhook(first.port)], { limit: 3, lastPauseMs: 10 });
  for (const port of [1, 2, 3, 4, 5]) {
    await place.count([port]);
    await until(() => desk.figures().edges.audited === port);
  }
  assert.equal(desk.figures().receivers[0]?.dropped, 2);
  assert.deepEqual([desk.figures().receivers[0]?.waiting, desk.figures().receivers[0]?.lost], [3, 2]);
  const server = await webhookServer(first.port);
  t.after(() => server.close());
  await until(() => server.got.length === 4);
  assert.deepEqual(portsOf(server.got), ["gap", 3, 4, 5]);
  assert.equal(JSON.parse(server.got[0]?.body ?? "").unmapped.lost, 2);
});

test("syslog by TCP: a receiver that is down gets everything in order when it is back", async (t) => {
  const place = await workplace(t);
  const first = await syslogServer();
  const receiver = syslogReceiver({ transport: "tcp", host: "127.0.0.1", port: first.port, sender: SENDER });
  const desk = await place.open([receiver]);
  await place.count([1]);
  await until(() => first.got.length === 1);
  await first.close();
  await place.count([2, 3]);
  await until(() => (desk.figures().receivers[0]?.failures ?? 0) > 0);
  const server = await syslogServer(first.port);
  t.after(() => server.close());
  await place.count([4]);
  await until(() => server.got.length === 3);
  assert.deepEqual(serviceOf([...first.got, ...server.got]), [1, 2, 3, 4]);
});

test("syslog by TLS arrives at a receiver whose certificate is vouched for, and at no other", async (t) => {
  const place = await workplace(t);
  const folder = mkdtempSync(join(tmpdir(), `portolan-alerts-tls-${process.pid}-`));
  t.after(() => rmSync(folder, { recursive: true }));
  authority(folder);
  const file = (name: string) => readFileSync(join(folder, name), "utf8");
  const server = await syslogServer(undefined, { key: file("server.key"), cert: file("server.pem") });
  t.after(() => server.close());
  const to = { transport: "tls", host: "127.0.0.1", port: server.port, sender: SENDER } as const;
  const trusting = syslogReceiver({ ...to, ca: file("ca.pem") });
  const desk = await place.open([trusting, { ...syslogReceiver(to), name: "stranger" }]);
  await place.count([1, 2]);
  await until(() => desk.figures().receivers[0]?.sent === 2 && (desk.figures().receivers[1]?.failures ?? 0) > 0);
  await until(() => server.got.length >= 2);
  assert.deepEqual(serviceOf(server.got), [1, 2]);
  assert.deepEqual(
    desk.figures().receivers.map(({ waiting }) => waiting),
    [0, 2],
  );
  assert.match(place.said.join(), /stranger wait: syslog tls:.* is not reached: .*(verify|self-signed|certificate)/);
});

test("syslog by UDP arrives, and a port where nobody listens is noticed and tried again", async (t) => {
  const place = await workplace(t);
  const first = await datagramServer();
  await first.close();
  const receiver = syslogReceiver({ transport: "udp", host: "127.0.0.1", port: first.port, sender: SENDER });
  const desk = await place.open([receiver]);
  await place.count([1, 2]);
  await until(() => (desk.figures().receivers[0]?.failures ?? 0) > 0);
  const server = await datagramServer(first.port);
  t.after(() => server.close());
  await until(() => server.got.length === 2);
  assert.deepEqual(serviceOf(server.got), [1, 2]);
});

test("receivers get on independently: one that is away holds up no other", async (t) => {
  const place = await workplace(t);
  const away = await syslogServer();
  await away.close();
  const server = await webhookServer();
  t.after(() => server.close());
  const syslog = syslogReceiver({ transport: "tcp", host: "127.0.0.1", port: away.port, sender: SENDER });
  const desk = await place.open([webhook(server.port), syslog]);
  await place.count([1, 2]);
  await until(() => desk.figures().receivers[0]?.sent === 2);
  assert.deepEqual(portsOf(server.got), [1, 2]);
  assert.deepEqual(
    desk.figures().receivers.map(({ name, waiting }) => [name, waiting]),
    [
      ["webhook", 0],
      ["syslog", 2],
    ],
  );
});

test("a step that a crash cut short is made again from the trail, without a copy of its first half", async (t) => {
  const place = await workplace(t);
  const gotten: Alert[] = [];
  const receiver: AlertReceiver = { name: "list", deliver: async (alert) => void gotten.push(alert) };
  let desk = await place.open([receiver]);
  await place.count([1]);
  await until(() => gotten.length === 1);
  await desk.close();
  const state = JSON.parse(readFileSync(join(place.folder, "state.json"), "utf8"));
  writeFileSync(join(place.folder, `${String(state.next).padStart(12, "0")}.json`), '{"kind":"edge"');
  await place.count([2]);
  desk = await place.open([receiver]);
  await until(() => gotten.length === 2);
  assert.deepEqual(
    gotten.map((alert) => alert.kind === "edge" && alert.port),
    [1, 2],
  );
});

test("a spool of another process, or with a state that is none, is refused in one line", async (t) => {
  const place = await workplace(t);
  const desk = await place.open([]);
  await assert.rejects(place.open([]), /^AlertError: Cannot open alert spool ".*": process \d+ uses it/);
  await desk.close();
  writeFileSync(join(place.folder, "state.json"), "{}");
  await assert.rejects(place.open([]), /Cannot open alert spool ".*": state.json cannot be read; wanted/);
  rmSync(join(place.folder, "state.json"));
  await place.open([]);
});

test("with another store only what is counted from now on is told", async (t) => {
  const place = await workplace(t);
  const server = await webhookServer();
  t.after(() => server.close());
  await place.count([1]);
  await (await place.open([webhook(server.port)])).close();
  const other = await Store.open({ path: ":memory:" });
  t.after(() => other.close());
  await other.keepAudit([reportDocument(50, [sampleEdge({ port: 7 })])]);
  await place.open([webhook(server.port)], {
    source: { denialsSince: (after) => other.denialsSince(after), inventory: () => EMPTY_INVENTORY },
  });
  await until(() => place.said.some((line) => /the store is another than before/.test(line)));
  await other.keepAudit([reportDocument(51, [sampleEdge({ port: 8 }), sampleEdge({ port: 7 })])]);
  await until(() => server.got.length === 1);
  assert.deepEqual(portsOf(server.got), [8]);
});
