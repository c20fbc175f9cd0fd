import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { Analyzer } from "../../analyzer/analyzer.js";
import { formatInventory } from "../../model/inventory-format.js";
import { edgeKey, type IntendedEdge, intendedEdges } from "./intent.js";
import { labInventory } from "./inventory.js";
import { Lab } from "./lab.js";
import { attempt } from "./traffic.js";

const PORTOLAN = fileURLToPath(new URL("../../../bin/portolan", import.meta.url));
const AT_ONCE = 8;
const ROUNDS = 2;

/** Edges over which one call is one flow: pings and DNS questions may share one, and replication keeps its own open. */
const edges = intendedEdges().filter(
  ({ client, server, protocol }) =>
    protocol === "tcp" && client !== "data/db-2" && !`${client} ${server}`.includes("worker-a"),
);

let lab: Lab;
let swappedAtMs: number;

before(async () => {
  lab = await Lab.build({ capture: false });
  swappedAtMs = await lab.swapWorkers();
});
after(() => lab?.remove());

async function untilItSays(child: ChildProcess, wanted: RegExp): Promise<RegExpExecArray> {
  let told = "";
  for await (const text of child.stderr?.setEncoding("utf8").iterator({ destroyOnReturn: false }) ?? []) {
    told += text;
    const match = wanted.exec(told);
    if (match !== null) return match;
  }
  throw new Error(`Cannot go on: portolan ended with "${told}", wanted ${wanted}`);
}

/** Makes every edge happen over each family that it speaks; answers how many calls succeeded, by edge. */
async function exercise(): Promise<ReadonlyMap<string, number>> {
  const calls = edges.flatMap((edge) => familiesOf(edge).map((family) => ({ edge, family })));
  const done = new Map<string, number>();
  for (let from = 0; from < calls.length; from += AT_ONCE) {
    const group = calls.slice(from, from + AT_ONCE).map(async ({ edge, family }) => {
      const { host, call } = attempt(edge, family, lab.folder);
      const { status } = await lab.call(host, call);
      if (status === 0) done.set(edgeKey(edge), (done.get(edgeKey(edge)) ?? 0) + 1);
    });
    await Promise.all(group);
  }
  return done;
}

/** Redis listens on IPv4 only. */
function familiesOf({ port }: IntendedEdge): readonly (4 | 6)[] {
  return port === 6379 ? [4] : [4, 6];
}

test("portolan run in the lab stores every call exactly once, serves the explorer, and ends cleanly on SIGTERM", async (t) => {
  const inventory = labInventory(swappedAtMs);
  const inventoryFile = join(lab.folder, "inventory.yaml");
  const store = join(lab.folder, "live.duckdb");
  writeFileSync(inventoryFile, formatInventory(inventory));
  const args = [
    "run",
    "--interface",
    "br0",
    "--inventory",
    inventoryFile,
    "--store",
    store,
    "--listen",
    "127.0.0.1:0",
    "--json",
  ];
  const portolan = spawn("ip", lab.network.exec("switch", process.execPath, [PORTOLAN, ...args]), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  portolan.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const ended = new Promise<number | null>((resolve) => portolan.once("close", (code) => resolve(code)));
  const [, url = ""] = await untilItSays(portolan, /explorer: (http:\S+)/);
  portolan.stderr.resume();

  const made = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [key, count] of await exercise()) made.set(key, (made.get(key) ?? 0) + count);
  }
  const page = await lab.call("switch", {
    program: "curl",
    args: ["--silent", "--fail", new URL("api/openapi.json", url).href],
  });
  assert.equal(page.status, 0, page.stderr);
  portolan.kill("SIGTERM");
  assert.equal(await ended, 0);

  const analyzer = await Analyzer.open({ path: store, inventory });
  const graph = await analyzer.graph("workload", {});
  await analyzer.close();
  const seen = new Map(
    graph.edges.map(({ client, server, protocol, port, flows }) => {
      const name = (id: string) => id.replace(/^(workload|group):/, "");
      return [`${name(client)}\t${name(server)}\t${protocol}\t${port}`, flows.answered];
    }),
  );
  const lines = (counts: ReadonlyMap<string, number>) =>
    edges.map((edge) => `${edgeKey(edge)}: ${counts.get(edgeKey(edge)) ?? 0}`);
  const calls = [...made.values()].reduce((sum, count) => sum + count, 0);
  t.diagnostic(`${calls} calls over ${edges.length} edges; ${printed.trim()}`);
  assert.equal(calls, ROUNDS * edges.flatMap(familiesOf).length);
  assert.deepEqual(lines(seen), lines(made));
  assert.equal((JSON.parse(printed) as { lostPackets: unknown }).lostPackets, 0);
});
