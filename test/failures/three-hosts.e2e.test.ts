import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { parseGraphJson } from "../../analyzer/graph/graph-json.js";
import { PortolanProcess } from "../cli/portolan-process.js";
import { startBroker } from "../stream/kafka-broker.js";
import { storesFlows } from "./stored-flows.js";
import { HOSTS, type Host, INVENTORY, ThreeHosts } from "./three-hosts.js";

const CATCH_UP_MS = 180_000;
const ROUNDS = 20;
const ADDRESS = { a: "10.91.0.1", b: "10.91.0.2", c: "10.91.0.3" } as const;

const folder = mkdtempSync(join(tmpdir(), "portolan-three-"));
const inventory = ["--inventory", join(folder, "inventory.yaml")];
writeFileSync(join(folder, "inventory.yaml"), INVENTORY);
const hosts = new ThreeHosts();
after(() => {
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});
const broker = await startBroker({ host: hosts.managementAddress, within: hosts.within("switch") });
after(() => broker.stop());

const capture = (host: Host) => join(folder, `host-${host}.pcap`);

/**
 * A tcpdump that also leaves a copy of what it hands out. A second one beside it would read the clock for itself and give a
 * packet another microsecond.
 */
const tools = join(folder, "tools");
mkdirSync(tools);
writeFileSync(join(tools, "tcpdump"), `#!/bin/bash\nPATH=\${PATH#*:}\nexec tcpdump "$@" > >(exec tee "$CAPTURE")\n`, {
  mode: 0o755,
});
const tapped = (host: Host) => ["env", `PATH=${tools}:${process.env.PATH}`, `CAPTURE=${capture(host)}`];

const ECHO = `
  require("node:net").createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(8080, () => {
    const udp = require("node:dgram").createSocket("udp4");
    udp.on("message", (text, { port, address }) => udp.send(text, port, address)).bind(5353, () => console.log("ready"));
  });`;

/** Talks to port 8080 of some hosts, asks others by UDP, and is refused by one. */
const talk = (tcp: readonly Host[], udp: readonly Host[], refusing: Host) => `
  const net = require("node:net");
  const connect = (host, port) => new Promise((done) => {
    const socket = net.connect(port, host, () => socket.end("hello")).on("error", () => {}).on("close", done).resume();
  });
  const ask = (host) => new Promise((done) => {
    const udp = require("node:dgram").createSocket("udp4");
    udp.on("message", () => udp.close(done)).send("hello", 5353, host);
  });
  (async () => {
    for (let i = 0; i < ${ROUNDS}; i++) {
      for (const host of ${JSON.stringify(tcp.map((host) => ADDRESS[host]))}) await connect(host, 8080);
      for (const host of ${JSON.stringify(udp.map((host) => ADDRESS[host]))}) await ask(host);
    }
    await connect("${ADDRESS[refusing]}", 81);
  })();`;

/** Runs a command of ours to its good end. */
async function portolan(...args: readonly string[]): Promise<void> {
  const process = new PortolanProcess(args);
  assert.equal(await process.exit(), 0, process.errors);
}

const servers = await Promise.all(HOSTS.map((host) => hosts.serve(host, ECHO)));
after(() => servers.forEach((end) => end()));

interface Collected {
  readonly packets: number;
  readonly flows: number; // records, of which a flow may have several
}

interface CollectorWish {
  readonly on: Host | "switch";
  readonly args: readonly string[];
}

/** The text of graph.json from collectors, one broker and an analyzer; `meanwhile` runs while they collect. */
async function graphThroughKafka(
  name: string,
  wishes: readonly CollectorWish[],
  meanwhile?: (collectors: readonly PortolanProcess[]) => Promise<void>,
): Promise<{ readonly graph: string } & Collected> {
  const kafka = ["--kafka", broker.bootstrap, "--kafka-prefix", `${name}.`];
  const store = join(folder, `${name}.duckdb`);
  const inSwitch = hosts.within("switch");
  const analyzerArgs = ["analyzer", ...kafka, ...inventory, "--store", store, "--listen", "127.0.0.1:0"];
  const analyzer = new PortolanProcess(analyzerArgs, inSwitch);
  const collectors = wishes.map(({ on, args }) => {
    const own = ["--collector", `host-${on}`, "--spool", join(folder, `${name}-spool-${on}`)];
    const within = [...hosts.within(on), ...(on === "switch" ? [] : tapped(on))];
    return new PortolanProcess(["collect", ...kafka, ...own, "--json", ...args], within);
  });
  try {
    await meanwhile?.(collectors);
    let all: Collected = { packets: 0, flows: 0 };
    for (const collector of collectors) {
      assert.equal(await collector.exit(), 0, collector.errors);
      const { packets, flows, sentFlows, lostPackets } = JSON.parse(collector.output);
      assert.deepEqual([sentFlows, lostPackets === "unknown" ? 0 : lostPackets], [flows, 0], collector.errors);
      all = { packets: all.packets + packets, flows: all.flows + flows };
    }
    await storesFlows(analyzer, inSwitch, () => all.flows, CATCH_UP_MS);
    analyzer.signal("SIGTERM");
    assert.equal(await analyzer.exit(), 0, analyzer.errors);
    const chart = join(folder, name);
    await portolan("merge", "--out", join(folder, `${name}-all.duckdb`), "--chart", chart, store);
    return { graph: readFileSync(join(chart, "graph.json"), "utf8"), ...all };
  } finally {
    await Promise.all([analyzer, ...collectors].map((process) => process.kill()));
  }
}

/** What `analyze` says of the captures that the collectors saw. */
async function graphOfCaptures(): Promise<string> {
  const out = join(folder, "captures");
  await portolan("analyze", "--per-host", ...HOSTS.map(capture), ...inventory, "--out", out);
  return readFileSync(join(out, "graph.json"), "utf8");
}

test("three live collectors through one broker draw the graph that analyze draws of the hosts' captures, byte for byte", async (context) => {
  const live = await graphThroughKafka(
    "live",
    HOSTS.map((on) => ({ on, args: ["--interface", "eth0"] })),
    async (collectors) => {
      for (const collector of collectors) await collector.says("capturing on eth0");
      hosts.run("a", process.execPath, "-e", talk(["b", "c"], ["c"], "b"));
      hosts.run("b", process.execPath, "-e", talk(["c"], ["a", "c"], "a"));
      hosts.run("c", process.execPath, "-e", talk(["a"], [], "b"));
      hosts.run("c", "ping", "-c", "3", "-i", "0.2", "-q", ADDRESS.a);
      for (const collector of collectors) collector.signal("SIGTERM");
    },
  );
  assert.equal(live.graph, await graphOfCaptures());
  const { edges } = parseGraphJson(live.graph);
  const flows = edges.map(({ id, flows }) => [id.replaceAll("workload:lab/", ""), flows.answered, flows.refused]);
  assert.deepEqual(flows, [
    ["host-a>host-b/tcp/8080", ROUNDS, 0],
    ["host-a>host-b/tcp/81", 0, 1],
    ["host-a>host-c/tcp/8080", ROUNDS, 0],
    ["host-a>host-c/udp/5353", ROUNDS, 0],
    ["host-b>host-a/tcp/81", 0, 1],
    ["host-b>host-a/udp/5353", ROUNDS, 0],
    ["host-b>host-c/tcp/8080", ROUNDS, 0],
    ["host-b>host-c/udp/5353", ROUNDS, 0],
    ["host-c>host-a/icmp/8", 1, 0],
    ["host-c>host-a/tcp/8080", ROUNDS, 0],
    ["host-c>host-b/tcp/81", 0, 1],
  ]);
  assert.ok(edges.every(({ observers }) => observers.length === 2)); // both ends saw it, and it is counted once
  context.diagnostic(
    `${live.packets} packets, ${live.flows} flow records of three collectors: ${live.graph.length} bytes, the same`,
  );
});

test("the hosts' captures, sent by three collectors, give the same bytes", async (context) => {
  const wishes = HOSTS.map((on) => ({ on, args: ["--read", capture(on)] }));
  const read = await graphThroughKafka("read", wishes);
  assert.equal(read.graph, await graphOfCaptures());
  context.diagnostic(
    `${read.packets} packets, ${read.flows} flow records of three collectors: ${read.graph.length} bytes, the same`,
  );
});

test("one collector on several interfaces is an observer at each, and counts a flow that crosses two of them once", async () => {
  const ports = HOSTS.map((host) => `${host}-eth0`);
  const wish: CollectorWish = { on: "switch", args: ["--interface", ...ports.slice(0, 2), "--interface", "c-eth0"] };
  const { graph } = await graphThroughKafka("switch", [wish], async ([collector]) => {
    for (const port of ports) await collector?.says(`capturing on ${port}`);
    hosts.run("a", process.execPath, "-e", talk(["b"], [], "c"));
    collector?.signal("SIGTERM");
  });
  const seen = parseGraphJson(graph).edges.map(({ id, flows, observers }) => [
    id.replaceAll("workload:lab/", ""),
    flows.answered + flows.refused,
    observers.join(" and "),
  ]);
  assert.deepEqual(seen, [
    ["host-a>host-b/tcp/8080", ROUNDS, "host-switch/a-eth0 and host-switch/b-eth0"],
    ["host-a>host-c/tcp/81", 1, "host-switch/a-eth0 and host-switch/c-eth0"],
  ]);
});
