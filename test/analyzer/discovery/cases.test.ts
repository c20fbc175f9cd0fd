import assert from "node:assert/strict";
import test from "node:test";
import { HOUR_US } from "../../../model/time-window.js";
import { Scene } from "./scene.js";
import { START_US, workload } from "./small-network.js";

const web = [1, 2, 3].map((i) => workload(`shop/web-${i}`, { app: "web" }, `10.0.0.${i}`));
const db = [1, 2].map((i) => workload(`shop/db-${i}`, { app: "db" }, `10.0.1.${i}`));
const vm = (name: string, address: string) => workload(`lab/${name}`, {}, address);
const kinds = (proposal: ReturnType<Scene["propose"]>) =>
  proposal.exclusions.map(({ kind, server }) => `${kind} ${server}`);
const widenings = (proposal: ReturnType<Scene["propose"]>) =>
  proposal.policySet.rules.flatMap((rule) =>
    rule.widenings.map(({ kind, cells }) => `${rule.id.replace(/-[0-9a-f]{8}$/, "")} ${kind} ${cells}`),
  );

test("two clients of a declared role speak for the third; servers are cut back to those that listen", () => {
  const scene = new Scene([...web, ...db])
    .see("shop/web-1", "shop/db-1", "tcp/5432")
    .see("shop/web-2", "shop/db-1", "tcp/5432");
  const proposal = scene.propose();
  const judge = scene.judge(proposal);
  assert.equal(judge("shop/web-3", "shop/db-1", "tcp/5432"), "open");
  assert.deepEqual(widenings(proposal), ["web-to-db-tcp-5432 role 4"]); // 3 x 2 pairs, since no label tells db-1 from db-2
});

test("servers that labels can tell apart are named alone", () => {
  const told = [1, 2].map((i) => workload(`shop/db-${i}`, { app: "db", "pod-name": `db-${i}` }, `10.0.1.${i}`));
  const scene = new Scene([...web, ...told]);
  for (const { id } of web) scene.see(id, "shop/db-1", "tcp/5432");
  const proposal = scene.propose();
  assert.equal(scene.judge(proposal)("shop/web-1", "shop/db-2", "tcp/5432"), "closed");
  assert.deepEqual(widenings(proposal), []);
});

test("workloads without labels are grouped by what they do and named by their addresses", () => {
  const vms = [1, 2, 3, 4].map((i) => vm(`node${i}`, `10.2.0.${i}`));
  const scene = new Scene([...vms, vm("store", "10.2.1.1"), vm("clock", "10.2.1.2")]);
  for (const { id } of vms) scene.see(id, "lab/store", "tcp/9000").see(id, "lab/clock", "udp/123");
  const proposal = scene.propose();
  assert.deepEqual(
    proposal.roles.filter(({ basis }) => basis === "profile").map(({ name, members }) => [name, members]),
    [["lab/node", vms.map(({ id }) => id)]],
  );
  const judge = scene.judge(proposal);
  assert.equal(judge("10.2.0.3", "10.2.1.1", "tcp/9000"), "open");
  // Without labels no policy can select them, so they stay open, and the proposal says so.
  assert.equal(proposal.openWorkloads.length, 6);
  assert.match(proposal.openWorkloads[0]?.reason ?? "", /^No stable label tells it from /);
});

test("an address that changes hands: each workload has its own rules and never the other's", () => {
  const swap = START_US + 4 * HOUR_US;
  const before = workload("shop/before", { app: "before" }, "10.0.5.5", {
    addresses: [{ address: "10.0.5.5", untilUs: swap }],
  });
  const after = workload("shop/after", { app: "after" }, "10.0.5.5", {
    addresses: [{ address: "10.0.5.5", fromUs: swap }],
  });
  const scene = new Scene([...db, before, after]);
  scene
    .see("shop/before", "shop/db-1", "tcp/5432", { units: [0, 1, 2, 3] })
    .see("shop/after", "shop/db-2", "tcp/6379", { units: [4, 5, 6, 7] });
  const judge = scene.judge(scene.propose());
  assert.equal(judge("shop/before", "shop/db-1", "tcp/5432"), "open");
  assert.equal(judge("shop/after", "shop/db-2", "tcp/6379"), "open");
  assert.equal(judge("shop/after", "shop/db-1", "tcp/5432"), "closed");
  assert.equal(judge("shop/before", "shop/db-2", "tcp/6379"), "closed");
});

test("a call to a shared address is a rule about its members, and its flows are counted once", () => {
  const shared = [{ name: "web", namespace: "shop", addresses: ["10.9.0.1"], members: ["shop/web-1", "shop/web-2"] }];
  const scene = new Scene([...web, ...db], { shared }).see("shop/db-1", "10.9.0.1", "tcp/443", {
    units: [0],
    flows: 5,
    group: "private",
  });
  const proposal = scene.propose();
  const [rule] = proposal.policySet.rules;
  assert.equal(rule?.evidence?.flows, 5);
  assert.deepEqual(rule?.evidence?.servers, ["shop/web-1", "shop/web-2"]);
  assert.match(rule?.reason ?? "", /through web/);
});

test("DNS over UDP brings TCP with it, as a declared widening", () => {
  const scene = new Scene([...web, ...db]).see("shop/web-1", "shop/db-1", "udp/53");
  const proposal = scene.propose();
  assert.equal(scene.judge(proposal)("shop/web-1", "shop/db-1", "tcp/53"), "open");
  assert.ok(widenings(proposal).some((text) => text.startsWith("web-to-db-dns lifeline")));
});

test("what the inventory declares as lifeline is a rule for every isolated workload, seen or not", () => {
  const lifelines = {
    management: ["10.8.0.0/24"],
    resolvers: ["10.0.1.1/32", "192.0.2.53/32"],
    timeServers: ["192.0.2.123/32"],
    controllers: [{ address: "192.0.2.9", port: 7443 }],
  };
  const scene = new Scene([...web, ...db], { lifelines });
  for (const { id } of web) scene.see(id, "shop/db-1", "tcp/5432");
  const judge = scene.judge(scene.propose());
  for (const [server, what] of [
    ["shop/db-1", "udp/53"],
    ["192.0.2.53", "tcp/53"],
    ["192.0.2.123", "udp/123"],
    ["192.0.2.9", "tcp/7443"],
  ] as const) {
    assert.equal(judge("shop/web-2", server, what), "open", `${server} ${what}`);
  }
  assert.equal(judge("10.8.0.77", "shop/web-1", "tcp/22"), "open");
  assert.equal(judge("10.7.0.77", "shop/web-1", "tcp/22"), "closed");
});

test("a declared group of addresses is one peer once two of it were seen, and the rest of it a widening", () => {
  const groups = [{ name: "office", cidrs: ["198.51.100.0/29"] }];
  const scene = new Scene(web, { groups });
  scene.see("198.51.100.1", "shop/web-1", "tcp/443", { group: "office" });
  assert.equal(scene.judge(scene.propose())("198.51.100.2", "shop/web-1", "tcp/443"), "closed");
  scene.see("198.51.100.2", "shop/web-1", "tcp/443", { group: "office" });
  const proposal = scene.propose();
  assert.equal(scene.judge(proposal)("198.51.100.6", "shop/web-1", "tcp/443"), "open");
  assert.ok(widenings(proposal).includes("office-to-web-tcp-443 addresses 18"));
});

test("outside addresses stay exact until so many networks came that the service is plainly public", () => {
  const few = new Scene(web);
  for (let i = 0; i < 5; i++) few.see(`203.0.113.${10 * i}`, "shop/web-1", "tcp/443");
  assert.equal(few.judge(few.propose())("203.0.113.11", "shop/web-1", "tcp/443"), "closed");
  const many = new Scene(web);
  for (let i = 0; i < 25; i++) many.see(`203.0.${i}.7`, "shop/web-1", "tcp/443");
  const judge = many.judge(many.propose());
  assert.equal(judge("192.0.2.200", "shop/web-1", "tcp/443"), "open");
  assert.equal(judge("10.99.0.1", "shop/web-1", "tcp/443"), "closed");
});

test("nobody knows who opened it: a guess is asked about, a known listener is not", () => {
  const guess = { row: { isDirectionCertain: false } };
  const scene = new Scene([...web, ...db]);
  scene.see("shop/web-1", "shop/db-1", "tcp/40001", guess);
  scene.see("shop/web-1", "shop/db-2", "tcp/5432", { outcome: "midstream" }); // a pool opened before we watched
  scene.see("shop/web-2", "shop/db-2", "tcp/5432");
  const proposal = scene.propose();
  assert.deepEqual(kinds(proposal), ["direction shop/db-1"]);
  assert.match(
    proposal.exclusions[0]?.reason ?? "",
    /the odds that 40001 is the server's port are only 0\.12 of the 0\.99 wanted/,
  );
  assert.equal(scene.judge(proposal)("shop/web-1", "shop/db-2", "tcp/5432"), "open");
});

test("an administration port once is quarantined; as a habit, by siblings, or from declared management it is a rule", () => {
  const lifelines = { management: ["10.8.0.1/32"], resolvers: [], timeServers: [], controllers: [] };
  const once = { units: [0], flows: 1 };
  const scene = new Scene([...web, ...db], { lifelines });
  scene.see("shop/db-1", "shop/web-3", "tcp/3389", once);
  scene.see("shop/db-1", "shop/web-1", "tcp/22", { units: [0, 1, 2] });
  scene.see("shop/web-1", "shop/db-2", "tcp/6443", once).see("shop/web-2", "shop/db-2", "tcp/6443", once);
  scene.see("10.8.0.1", "shop/db-1", "tcp/22", { ...once, group: "private" });
  const proposal = scene.propose();
  assert.deepEqual(kinds(proposal), ["quarantine shop/web-3"]);
});

test("ping is a rule about echo requests, replies and neighbour discovery are housekeeping", () => {
  const scene = new Scene([...web, ...db])
    .see("shop/web-1", "shop/db-1", "icmp/8")
    .see("shop/web-1", "shop/db-1", "icmpv6/128");
  scene
    .see("shop/db-1", "shop/web-1", "icmp/3", { outcome: "unanswered" })
    .see("shop/web-1", "shop/db-1", "icmpv6/135");
  const proposal = scene.propose();
  assert.equal(scene.judge(proposal)("shop/web-1", "shop/db-1", "icmp/8"), "open");
  assert.deepEqual([...new Set(proposal.exclusions.map(({ kind }) => kind))], ["housekeeping"]);
});

test("multicast is never a rule by itself, but routers that share an address may go on speaking", () => {
  const scene = new Scene([...web, ...db]);
  scene.see("shop/web-1", "224.0.0.251", "udp/5353", { outcome: "unanswered", group: "multicast" });
  scene.see("shop/web-1", "224.0.0.18", "vrrp/0", { outcome: "unanswered", group: "multicast" });
  const proposal = scene.propose();
  assert.deepEqual(kinds(proposal), ["quarantine 224.0.0.251"]);
  assert.equal(proposal.policySet.rules.length, 1);
});

test("a server that gives out ports as it goes gets one class for them, its fixed ports stay exact", () => {
  const scene = new Scene([...web, ...db]);
  const hours = Array.from({ length: 30 }, (_, i) => i);
  scene
    .see("shop/web-1", "shop/db-1", "tcp/21", { units: hours })
    .see("shop/web-1", "shop/db-1", "tcp/8443", { units: hours });
  for (const hour of hours)
    scene.see("shop/web-1", "shop/db-1", `tcp/${50000 + 37 * hour}`, { units: [hour], flows: 1 });
  const { rules } = scene.propose().policySet;
  assert.deepEqual(
    rules
      .flatMap(({ services }) =>
        services.map((service) => (service.kind === "ports" ? `${service.ports.first}-${service.ports.last}` : "")),
      )
      .sort(),
    ["21-21", "49152-65535", "8443-8443"],
  );
  assert.deepEqual(
    rules.flatMap((rule) => rule.widenings.filter(({ kind }) => kind === "ports").map(({ cells }) => cells)),
    [16384 - 30],
  );
});

test("confidence grows with the windows in which a rule was seen", () => {
  const confidence = (units: number[]) =>
    new Scene([...web, ...db]).see("shop/web-1", "shop/db-1", "tcp/5432", { units, flows: 1 }).propose().policySet
      .rules[0]?.confidence;
  assert.deepEqual(
    [confidence([0]), confidence([0, 1]), confidence([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])],
    [0.16, 0.53, 0.87],
  );
});

test("a workload that the inventory no longer knows is taken as the address it had", () => {
  const scene = new Scene([...web, ...db]).see("shop/web-1", "shop/db-1", "tcp/5432");
  const gone = scene.windows.map((row) => ({ ...row, clientIdentity: { kind: "workload" as const, id: "shop/gone" } }));
  scene.windows.splice(0, scene.windows.length, ...gone);
  const proposal = scene.propose();
  assert.deepEqual(proposal.policySet.rules[0]?.client, { kind: "cidr", cidr: "10.0.0.1/32", except: [] });
});

test("a role of twenty hosts that only their names tell apart is one list of names", () => {
  const hosts = Array.from({ length: 20 }, (_, i) => workload(`lan/node-${i}`, { host: `node-${i}` }, `10.3.0.${i}`));
  const scene = new Scene([...hosts, workload("lan/store", { host: "store" }, "10.3.1.1")]);
  for (const { id } of hosts) scene.see(id, "lan/store", "tcp/9000");
  const { rules, isolations } = scene.propose().policySet;
  assert.equal(rules.length, 1);
  assert.equal(rules[0]?.client.kind, "workloads");
  assert.equal(isolations.length, 4);
});
