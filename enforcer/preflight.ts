import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import type { TablePlan } from "../policy/formats/nftables/host-ruleset.js";
import { EnforcerError } from "./enforcer-error.js";
import type { Obstacle } from "./enforcer-kernel.js";
import type { Nft } from "./nft.js";
import { ownerOf, readRecord } from "./owner-record.js";
import { readRuleset, readTable } from "./read-table.js";

interface Probe {
  readonly host: string;
  readonly wrap?: readonly string[];
}

const OLDEST_NFT = [1, 0, 2];
/** Of the connections that the kernel can remember, at most this part may be taken. */
const MOST_TAKEN = 0.75;
/** Ours; what comes before it decides before us. */
const OUR_PRIORITY = 20;

/** What a command prints, in the namespace that is looked after; undefined when it fails. */
function ask(wrap: readonly string[], command: readonly string[]): Promise<string | undefined> {
  const [program, ...args] = [...wrap, ...command] as [string, ...string[]];
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (more: string) => {
      text += more;
    });
    child.once("error", () => resolve(undefined));
    child.once("close", (status) => resolve(status === 0 ? text : undefined));
  });
}

async function knob(wrap: readonly string[], name: string): Promise<string | undefined> {
  const path = `/proc/sys/${name}`;
  if (wrap.length > 0) return (await ask(wrap, ["cat", path]))?.trim();
  return await readFile(path, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

/** Whether the host forwards packets of any family: then it may publish ports, and see traffic that is not its own. */
export async function isForwardingHost(wrap: readonly string[] = []): Promise<boolean> {
  const knobs = ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"];
  const values = await Promise.all(knobs.map((name) => knob(wrap, name)));
  return values.includes("1");
}

async function bridges(wrap: readonly string[]): Promise<string[]> {
  if (wrap.length > 0) {
    const text = await ask(wrap, ["ls", "-d", "/sys/class/net/"]);
    const listed = text === undefined ? undefined : await ask(wrap, ["ip", "-o", "link", "show", "type", "bridge"]);
    return [...(listed ?? "").matchAll(/^\d+: ([^:@]+)/gm)].map(([, name]) => name!);
  }
  const names = await readdir("/sys/class/net").catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const ports = await readdir(`/sys/class/net/${name}/brif`).catch(() => []);
      return ports.length > 0 ? [name] : [];
    }),
  );
  return found.flat();
}

/** Traffic between the ports of a bridge comes to us only when the kernel is told to hand it over. */
async function bridgeObstacles(wrap: readonly string[], plan: TablePlan | undefined): Promise<Obstacle[]> {
  const names = await bridges(wrap);
  if (names.length === 0) return [];
  const knobs = ["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"];
  const values = await Promise.all(knobs.map((name) => knob(wrap, name)));
  if (values.every((value) => value === "1")) return [];
  const isNeeded = plan === undefined || plan.behind.length > 0;
  const what = `bridge ${names.join(", ")} passes frames between its ports unseen`;
  const remedy =
    "load br_netfilter and set net.bridge.bridge-nf-call-iptables=1 and net.bridge.bridge-nf-call-ip6tables=1";
  return [{ code: "bridge-unseen", gravity: isNeeded ? "refuses" : "warns", text: `${what}: ${remedy}` }];
}

/** How many connections the kernel remembers, and can. */
export async function connectionTable(
  wrap: readonly string[] = [],
): Promise<{ readonly taken: number; readonly most: number } | undefined> {
  const names = ["nf_conntrack_count", "nf_conntrack_max"];
  const [taken = "", most = ""] = await Promise.all(names.map((name) => knob(wrap, `net/netfilter/${name}`)));
  return taken === "" || most === "" ? undefined : { taken: Number(taken), most: Number(most) };
}

async function conntrackObstacles(wrap: readonly string[]): Promise<Obstacle[]> {
  const table = await connectionTable(wrap);
  if (table === undefined || table.taken <= table.most * MOST_TAKEN) return [];
  const { taken, most } = table;
  const percent = Math.round((taken / most) * 100);
  const text = `${percent} % of the kernel's connection table is taken (${taken} of ${most}) and new connections are lost when it is full: raise net.netfilter.nf_conntrack_max to ${taken * 2} or more`;
  return [{ code: "conntrack-full", gravity: "refuses", text }];
}

interface ListedChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly prio?: number;
  readonly policy?: string;
}

interface ListedRule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly expr: readonly Readonly<Record<string, unknown>>[];
}

const DROPS = ["drop", "reject"];
/** Statements after which a packet still is the same packet; whatever else stands before a drop narrows it. */
const PASSIVE = new Set(["counter", "log", "drop", "reject"]);

const isOurs = (table: string) => table === "portolan" || table === "portolan_quarantine";

/** Who decides before us that a packet is dropped: we never see it, cannot permit it and cannot count it. */
function foreignObstacles(objects: readonly unknown[]): Obstacle[] {
  const chains: ListedChain[] = [];
  const rules: ListedRule[] = [];
  const obstacles: Obstacle[] = [];
  for (const object of objects as readonly Record<string, unknown>[]) {
    if (object.chain !== undefined) chains.push(object.chain as ListedChain);
    if (object.rule !== undefined) rules.push(object.rule as ListedRule);
    if (object.flowtable !== undefined) {
      const { family, table, name } = object.flowtable as ListedChain;
      const text = `flowtable ${family} ${table} ${name} carries forwarded connections past every rule: cut cannot end them; remove it where that matters`;
      obstacles.push({ code: "foreign-offload", gravity: "warns", text });
    }
  }
  for (const chain of chains) {
    const { family, table, name, hook, prio = 0, policy } = chain;
    if (hook === undefined || prio > OUR_PRIORITY || isOurs(table) || hook === "postrouting") continue;
    const where = `chain ${family} ${table} ${name} (hook ${hook}, priority ${prio})`;
    const own = rules.filter((rule) => rule.family === family && rule.table === table && rule.chain === name);
    const drops = own.filter(({ expr }) => expr.some((each) => DROPS.some((drop) => drop in each)));
    const isWhole =
      policy === "drop" || drops.some(({ expr }) => expr.every((each) => PASSIVE.has(Object.keys(each)[0] ?? "")));
    if (isWhole) {
      const text = `${where} drops by default before we are asked, so audit cannot count what it drops and no policy can permit it: let it accept by default, or move its rules into the policy`;
      obstacles.push({ code: "foreign-drop", gravity: "refuses", text });
    } else if (drops.length > 0) {
      const text = `${where} has ${drops.length} rules that drop before we are asked: what they drop is neither counted nor permitted by any policy`;
      obstacles.push({ code: "foreign-drop", gravity: "warns", text });
    }
  }
  return obstacles;
}

const isOlder = (version: readonly number[]) => {
  const at = OLDEST_NFT.findIndex((part, i) => part !== (version[i] ?? 0));
  return at >= 0 && (version[at] ?? 0) < (OLDEST_NFT[at] ?? 0);
};

/** Everything that the text of a table needs of nft and the kernel, in a table that is never made. */
const TRIAL = `table inet portolan_preflight {
  set permits { typeof ip saddr . ip daddr . meta l4proto . th dport; flags interval; counter; elements = { 192.0.2.0/24 . 0.0.0.0/0 . 6 . 80-90 counter comment "r1" } }
  set seen { typeof ip saddr . ip daddr . meta l4proto . th dport; flags dynamic,timeout; size 16; timeout 1h; counter; }
  set lease { typeof meta nfproto; flags timeout; }
  chain input {
    type filter hook input priority filter + 20; policy accept;
    ct label 100 ct state established accept
    update @seen { ip saddr . ip daddr . meta l4proto . th dport }
    meta nfproto @lease drop
    ct label set 100
  }
}
`;

/**
 * Why this host cannot be protected, worst first. Changes nothing.
 * @param plan what is to be loaded, where that is known
 */
export async function preflight(
  nft: Nft,
  { host, wrap = [] }: Probe,
  plan: TablePlan | undefined,
): Promise<Obstacle[]> {
  let version: readonly number[];
  try {
    version = await nft.version();
  } catch (error) {
    if (!(error instanceof EnforcerError)) throw error;
    return [{ code: "nft-too-old", gravity: "refuses", text: error.message }];
  }
  if (isOlder(version)) {
    const text = `nft ${version.join(".")} is too old: install nftables ${OLDEST_NFT.join(".")} or newer`;
    return [{ code: "nft-too-old", gravity: "refuses", text }];
  }
  try {
    await nft.check(TRIAL);
  } catch (error) {
    if (!(error instanceof EnforcerError)) throw error;
    if (error.code === "permission") {
      const text = "the kernel does not let this process change its rules: give it CAP_NET_ADMIN";
      return [{ code: "no-permission", gravity: "refuses", text }];
    }
    const text = `nft ${version.join(".")} or the kernel cannot hold what we would load (${error.message}): use a kernel of 5.10 or newer`;
    return [{ code: "nft-too-old", gravity: "refuses", text }];
  }
  const obstacles = foreignObstacles(await readRuleset(nft));
  const listing = await readTable(nft);
  const reading = listing === undefined ? undefined : readRecord(listing);
  const owner = reading?.kind === "loaded" ? reading.record.owner : reading?.kind === "loading" ? reading.owner : "";
  if (owner !== "" && owner !== ownerOf(host)) {
    const text = `the table inet portolan was made by the enforcer of another host id than "${host}": use that id, or remove the table with "nft delete table inet portolan"`;
    obstacles.push({ code: "second-enforcer", gravity: "refuses", text });
  }
  obstacles.push(...(await bridgeObstacles(wrap, plan)), ...(await conntrackObstacles(wrap)));
  return obstacles.sort((a, b) => (a.gravity === b.gravity ? 0 : a.gravity === "refuses" ? -1 : 1));
}
