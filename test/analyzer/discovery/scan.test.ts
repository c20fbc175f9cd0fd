import assert from "node:assert/strict";
import test from "node:test";
import { Scene } from "./scene.js";
import { workload } from "./small-network.js";

const hosts = Array.from({ length: 12 }, (_, i) => workload(`lan/host-${i}`, { app: `app-${i}` }, `10.0.0.${i + 1}`));
const attacker = workload("lan/attacker", { app: "attacker" }, "10.0.9.9");
const scene = () => new Scene([...hosts, attacker]);
const scans = (made: Scene) => made.propose().exclusions.filter(({ kind }) => kind === "scan");

test("four failed first contacts make a scanner, three do not", () => {
  for (const contacts of [3, 4]) {
    const made = scene();
    for (let i = 0; i < contacts; i++)
      made.see("lan/attacker", `lan/host-${i}`, "tcp/80", { outcome: "refused", units: [0] });
    assert.equal(scans(made).length, contacts === 4 ? 1 : 0);
  }
});

test("the reason of a scan tells the contacts and the likelihood ratio", () => {
  const made = scene();
  for (let i = 0; i < 9; i++) {
    const outcome = i === 8 ? "answered" : "refused";
    made.see("lan/attacker", `lan/host-${i}`, "tcp/80", { outcome, units: [0], row: { firstSeenUs: i } });
  }
  const [scan] = scans(made);
  assert.equal(
    scan?.reason,
    "8 of 9 first contacts of this source failed, likelihood ratio 65536; the one conversation that was answered is not offered either.",
  );
});

test("many ports of one server count like many servers", () => {
  const made = scene();
  for (let port = 1; port <= 4; port++)
    made.see("lan/attacker", "lan/host-0", `tcp/${port}`, { outcome: "unanswered", units: [0] });
  assert.equal(scans(made).length, 1);
});

test("a client that retries one closed port for days is refused, not a scanner, and its good traffic stays", () => {
  const made = scene();
  const days = Array.from({ length: 72 }, (_, i) => i);
  made.see("lan/host-0", "lan/host-1", "tcp/9999", { outcome: "refused", units: days, flows: 100 });
  made.see("lan/host-0", "lan/host-1", "tcp/443");
  const proposal = made.propose();
  assert.deepEqual(
    proposal.exclusions.map(({ kind, flows }) => [kind, flows]),
    [["refused", 7200]],
  );
  assert.equal(made.judge(proposal)("lan/host-0", "lan/host-1", "tcp/443"), "open");
});

test("a scraper that everybody answers is no scanner, however many it calls", () => {
  const made = scene();
  for (let i = 0; i < 12; i++) made.see("lan/attacker", `lan/host-${i}`, "tcp/9100");
  assert.deepEqual(scans(made), []);
});

test("services that were down at first and came up are no failures", () => {
  const made = scene();
  for (let i = 0; i < 8; i++) {
    made.see("lan/host-0", `lan/host-${i + 1}`, "tcp/80", { outcome: "refused", units: [0] });
    made.see("lan/host-0", `lan/host-${i + 1}`, "tcp/80", { units: [1, 2] });
  }
  assert.deepEqual(scans(made), []);
});

test("what a scanner finds open is not offered, even if strangers use the same service", () => {
  const made = scene();
  for (let i = 1; i < 12; i++)
    made.see("lan/attacker", `lan/host-${i}`, "tcp/80", { outcome: i === 5 ? "answered" : "refused", units: [1] });
  made.see("lan/host-1", "lan/host-5", "tcp/80").see("lan/host-2", "lan/host-5", "tcp/80");
  const judge = made.judge(made.propose());
  assert.equal(judge("lan/attacker", "lan/host-5", "tcp/80"), "closed");
  assert.equal(judge("lan/host-1", "lan/host-5", "tcp/80"), "open");
});

test("the honest work of a compromised host stays: what its siblings do, and what it does in quiet windows", () => {
  const siblings = [1, 2, 3].map((i) => workload(`lan/web-${i}`, { app: "web" }, `10.0.1.${i}`));
  const made = new Scene([...hosts, ...siblings]);
  for (let i = 1; i < 12; i++) made.see("lan/web-1", `lan/host-${i}`, "tcp/22", { outcome: "unanswered", units: [5] });
  made.see("lan/web-1", "lan/host-0", "tcp/5432", { units: [5] });
  made.see("lan/web-2", "lan/host-0", "tcp/5432").see("lan/web-3", "lan/host-0", "tcp/5432");
  made.see("lan/web-1", "lan/host-1", "tcp/8080", { units: [0, 1, 2] });
  made.see("lan/web-1", "lan/host-2", "tcp/8081", { units: [0, 1, 5] });
  const proposal = made.propose();
  const judge = made.judge(proposal);
  assert.equal(judge("lan/web-1", "lan/host-0", "tcp/5432"), "open");
  assert.equal(judge("lan/web-1", "lan/host-1", "tcp/8080"), "open");
  assert.equal(judge("lan/web-1", "lan/host-2", "tcp/8081"), "closed");
  assert.match(scans(made)[0]?.reason ?? "", /^11 of 14 first contacts/);
});

test("a stream of datagrams that nobody answers goes to quarantine and makes nobody a scanner", () => {
  const made = scene();
  for (let i = 1; i < 8; i++) made.see("lan/host-0", `lan/host-${i}`, "udp/514", { outcome: "unanswered" });
  const { exclusions } = made.propose();
  assert.deepEqual([...new Set(exclusions.map(({ kind }) => kind))], ["quarantine"]);
});
