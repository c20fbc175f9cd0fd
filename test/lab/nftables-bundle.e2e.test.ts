import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { renderNftables } from "../../policy/formats/nftables/render.js";
import type { PolicyMode } from "../../policy/policy-set.js";
import { chartLab } from "./chart.js";
import { HOSTS, hostNamed, type LabHost, OUTSIDE, workloadId } from "./company.js";
import { CLOSED_PORT, type IntendedEdge, SSH_HOSTS } from "./intent.js";
import { Lab, PATIENT_MS } from "./lab.js";
import { parseScan, SCANNER } from "./scanner.js";
import { must, sleep } from "./shell.js";
import { attempt } from "./traffic.js";

const TABLE = "inet portolan";
const AT_ONCE = 12;
const SCANNED_PORTS = "22,23,80,443,5432,6379,8080,9100";

const { inventory, truth, proposal } = await chartLab();
const hosts = HOSTS.filter(({ life }) => life !== "first-half");
const isLive = ({ client, server }: IntendedEdge) => client !== "shop/worker-a" && server !== "shop/worker-a";
const intended = truth.filter((row) => row.expect === "allow" && isLive(row));

/** Who has no client program here, and ports on which nobody listens. */
const NOBODY = new Set([`office/${SCANNER}`, "partner"]);
const isServed = ({ server, port }: IntendedEdge) =>
  port === 22 ? SSH_HOSTS.includes(hostNamed(server).name) : port !== 3389 && port !== CLOSED_PORT;

/** Edges that people or programs of the company might try, on ports where somebody listens. */
const forbidden = truth.filter(
  (row) => row.expect === "never" && isLive(row) && !NOBODY.has(row.client) && isServed(row),
);

let lab: Lab;

before(async () => {
  lab = await Lab.build({ capture: false });
  await lab.swapWorkers();
});
after(() => lab?.remove());

/** What of the edges succeeds within the time, by IPv4 and by IPv6, as lines. */
async function succeeding(edges: readonly IntendedEdge[], timeoutMs = PATIENT_MS): Promise<readonly string[]> {
  const tries = edges.flatMap((edge) =>
    ([4, 6] as const).filter((family) => isSpoken(edge, family)).map((family) => ({ edge, family })),
  );
  const done: string[] = [];
  for (let from = 0; from < tries.length; from += AT_ONCE) {
    const group = tries.slice(from, from + AT_ONCE).map(async ({ edge, family }) => {
      const { host, call } = attempt(edge, family, lab.folder);
      const { status } = await lab.call(host, call, { timeoutMs });
      if (status === 0) done.push(describe(edge, family));
    });
    await Promise.all(group);
  }
  return done.sort();
}

function describe({ client, server, protocol, port }: IntendedEdge, family: 4 | 6): string {
  return `${client} to ${server} ${protocol} ${port} by IPv${family}`;
}

/** Redis listens on IPv4 only, and each ping is of one family. */
function isSpoken({ protocol, port }: IntendedEdge, family: 4 | 6): boolean {
  if (protocol === "icmp" || port === 6379) return family === 4;
  return protocol !== "icmpv6" || family === 6;
}

function everyOneOf(edges: readonly IntendedEdge[]): readonly string[] {
  const lines = edges.flatMap((edge) =>
    ([4, 6] as const).filter((family) => isSpoken(edge, family)).map((family) => describe(edge, family)),
  );
  return lines.sort();
}

/** Checks and loads every host's file. */
async function load(mode: PolicyMode): Promise<number> {
  const bundle = renderNftables(proposal.policySet, inventory, { mode });
  const folder = join(lab.folder, `nftables-${mode}`);
  mkdirSync(folder);
  const rulesets = bundle.files.filter(({ path }) => path.endsWith(".nft"));
  await Promise.all(
    rulesets.map(async ({ path, text }) => {
      const owner = hosts.find((host) => text.includes(`# host "${workloadId(host)}"`));
      assert.ok(owner !== undefined, `${path} names no host of the lab`);
      writeFileSync(join(folder, path), text);
      await nft(owner, ["-c", "-f", join(folder, path)]);
      await nft(owner, ["-f", join(folder, path)]);
    }),
  );
  return rulesets.length;
}

function nft(host: LabHost, args: readonly string[]): Promise<string> {
  return must("ip", lab.network.exec(host.name, "nft", args));
}

/** What the tables of all hosts noted: packets by counter, and who came in or went out against the policy. */
interface Noted {
  readonly packets: Readonly<Record<string, number>>;
  readonly clients: readonly string[]; // names of hosts, or "outside"
}

interface NftListing {
  readonly nftables: readonly {
    readonly counter?: { readonly name: string; readonly packets: number };
    readonly set?: { readonly name: string; readonly elem?: readonly SeenElement[] };
  }[];
}

interface SeenElement {
  readonly elem: { readonly val: { readonly concat: readonly unknown[] } };
}

async function noted(): Promise<Noted> {
  const listings = await Promise.all(hosts.map((host) => nft(host, ["-j", "list", "ruleset"])));
  const packets: Record<string, number> = {};
  const addresses = new Set<string>();
  for (const { nftables } of listings.map((text) => JSON.parse(text) as NftListing)) {
    for (const { counter, set } of nftables) {
      if (counter !== undefined) {
        const name = counter.name.replace(`_${proposal.policySet.name}`, "");
        packets[name] = (packets[name] ?? 0) + counter.packets;
      }
      if (set === undefined || !/^(seen|denied)_/.test(set.name)) continue;
      for (const { elem } of set.elem ?? []) addresses.add(String(elem.val.concat[0]));
    }
  }
  const clients = [...addresses].map((address) => {
    const holder = hosts.find((host) => host.v4 === address || host.v6 === address);
    return holder?.name ?? (OUTSIDE.addresses.includes(address) ? OUTSIDE.name : address);
  });
  return { packets, clients: [...new Set(clients)].sort() };
}

/** Open ports that the scanner finds on the whole company. */
async function scan(): Promise<number> {
  const targets = hosts.filter(({ name }) => name !== SCANNER);
  const pace = ["-n", "-Pn", "--max-retries", "0", "--max-rtt-timeout", "300ms", "-T4", "-oG", "-"];
  const args = [...pace, "-sT", "-p", SCANNED_PORTS, ...targets.map(({ v4 }) => v4)];
  const { stdout } = await lab.call(SCANNER, { program: "nmap", args }, { timeoutMs: 240_000 });
  return parseScan(stdout, targets).filter(({ note }) => note === "scanner, the port answered").length;
}

test("in audit mode the bundle loads on every host, nothing is dropped, and the scanner alone would be", async (t) => {
  assert.equal(await load("audit"), hosts.length);
  assert.deepEqual(await succeeding(intended), everyOneOf(intended));
  const { packets: quiet, clients } = await noted();
  assert.deepEqual([clients, quiet.c_in_missed, quiet.c_out_missed], [[], 0, 0]);
  const open = await scan();
  const { packets, clients: accused } = await noted();
  t.diagnostic(
    `${hosts.length} rulesets; ${everyOneOf(intended).length} intended calls pass and none is noted; ` +
      `the scanner finds ${open} open ports, ${packets.c_in_missed} of its packets would be dropped`,
  );
  assert.ok(open > 0);
  assert.deepEqual(accused, [SCANNER]);
  assert.ok((packets.c_in_missed ?? 0) > 0);
  assert.deepEqual([packets.c_in_denied, packets.c_out_denied], [0, 0]);
});

test("without deny, what must never be proposed works: so it is the policy that stops it", async () => {
  assert.deepEqual(await succeeding(forbidden), everyOneOf(forbidden));
});

test("in deny mode the intended traffic passes, by IPv4 and by IPv6", async (t) => {
  assert.equal(await load("deny"), hosts.length);
  const passing = await succeeding(intended);
  t.diagnostic(`${passing.length} intended calls pass`);
  assert.deepEqual(passing, everyOneOf(intended));
  // A replica whose machine stood still comes back by itself, where it may.
  for (const end = Date.now() + 120_000; !(await lab.isReplicaStreaming()); await sleep(500)) {
    assert.ok(Date.now() < end, "the replica does not follow");
  }
});

test("in deny mode what must never be proposed is dropped", async (t) => {
  assert.deepEqual(await succeeding(forbidden, 6_000), []);
  const dropped = (await noted()).packets.c_out_denied ?? 0;
  t.diagnostic(`${everyOneOf(forbidden).length} forbidden calls fail, ${dropped} packets dropped where they were sent`);
  assert.ok(dropped > 0);
});

test("a scanner that throws its own rules away is still dropped and counted by everybody else", async (t) => {
  await nft(hostNamed(SCANNER), ["delete", "table", ...TABLE.split(" ")]);
  const { c_in_denied: before = 0 } = (await noted()).packets;
  assert.equal(await scan(), 0);
  const { c_in_denied: after = 0 } = (await noted()).packets;
  const dropped = after - before;
  const ports = SCANNED_PORTS.split(",").length * (hosts.length - 1);
  t.diagnostic(`${ports} probes, none answered, ${dropped} dropped where they arrived`);
  assert.ok(dropped >= ports);
});
