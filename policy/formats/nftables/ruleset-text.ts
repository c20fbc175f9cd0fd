import type { PolicyMode } from "../../policy-set.js";
import type { Selection } from "../../selection.js";
import type { HostDirection, HostRuleset } from "./host-ruleset.js";
import { lifelineTexts } from "./lifeline-text.js";
import { chainName, elementTexts, keyText, PORT_PROTOCOLS, setName, TABLE } from "./nft-text.js";

/**
 * The table, read from top to bottom as a packet does:
 *
 *     input -> established? accept -> lifeline -> dispatch_in -> in_gN -> permitted? accept
 *                                                                `-> miss_in: count, note who, log a sample,
 *                                                                    drop if the lease lives, else accept
 *
 * Audit and deny are the same rules. Deny is the lease: a set that the kernel empties by itself when nobody renews it.
 */
const HOOKS: Record<HostDirection, string> = { in: "input", out: "output" };

/** Group of the kernel log to which a sample of what no rule permits is sent. */
const LOG_GROUP = 77;

const SEEN = "flags dynamic,timeout; size 16384; timeout 1h; counter;";
const ATTEMPTS = "flags dynamic,timeout; size 65536; timeout 2m;";

/** Kernel sets that note who was missed: exact edges, where the log is a sample. */
function missSets(direction: HostDirection): { name: string; key: string; flags: string }[] {
  return ([4, 6] as const).flatMap((family) => {
    const ip = family === 4 ? "ip" : "ip6";
    return [
      { name: `seen_${direction}${family}`, key: keyText("ports", family), flags: SEEN },
      { name: `seen_${direction}${family}_icmp`, key: keyText("icmp", family), flags: SEEN },
      { name: `seen_${direction}${family}_protocol`, key: keyText("protocol", family), flags: SEEN },
      {
        name: `attempts_${direction}${family}`,
        key: `${ip} saddr . ${ip} daddr . meta l4proto . th sport . th dport`,
        flags: ATTEMPTS,
      },
    ];
  });
}

function missRules(direction: HostDirection, generation: number): string[] {
  const recorded = `counter name c_${direction}_recorded`;
  const rules = [`counter name c_${direction}_missed`];
  for (const family of [4, 6] as const) {
    const [ip, icmp] = family === 4 ? ["ip", 1] : ["ip6", 58];
    const attempt = `${ip} saddr . ${ip} daddr . meta l4proto . th sport . th dport`;
    const attempts = `@attempts_${direction}${family}`;
    const seen = `@seen_${direction}${family}`;
    // Retransmissions carry the same source port, so they are one attempt.
    rules.push(
      `meta l4proto ${PORT_PROTOCOLS} ${attempt} != ${attempts} add ${attempts} { ${attempt} } update ${seen} { ${keyText("ports", family)} } ${recorded}`,
      `meta l4proto ${icmp} update ${seen}_icmp { ${keyText("icmp", family)} } ${recorded}`,
      `meta nfproto ipv${family} meta l4proto != { 1, 6, 17, 58, 132 } update ${seen}_protocol { ${keyText("protocol", family)} } ${recorded}`,
    );
  }
  rules.push(
    `limit rate 20/second burst 50 packets log prefix "portolan g${generation} ${direction} " group ${LOG_GROUP} snaplen 96`,
    `meta nfproto @lease counter name c_${direction}_denied drop`,
    "ct label set 100",
    "accept",
  );
  return rules;
}

const add = (kind: string, name: string, body: string) => `add ${kind} ${TABLE} ${name} ${body}`;

/** What no generation changes: base chains, lifelines, counters, the lease. Loading it again changes nothing. */
export function structureText(ruleset: HostRuleset, selection: Selection): string {
  const lines = [`add table ${TABLE}`, add("set", "lease", "{ typeof meta nfproto; flags timeout; }")];
  const rules: string[] = [];
  const fill = (chain: string, texts: readonly string[]) => {
    rules.push(`flush chain ${TABLE} ${chain}`);
    for (const text of texts) rules.push(`add rule ${TABLE} ${chain} ${text}`);
  };
  lines.push(add("counter", "c_invalid", "{ }"), add("counter", "c_midstream", "{ }"), `add chain ${TABLE} lifeline`);
  fill("lifeline", ["meta iif lo accept", "meta oif lo accept", ...lifelineTexts(ruleset.lifelines, selection)]);
  for (const direction of ruleset.directions) {
    for (const counter of ["missed", "recorded", "denied"])
      lines.push(add("counter", `c_${direction}_${counter}`, "{ }"));
    for (const { name, key, flags } of missSets(direction)) lines.push(add("set", name, `{ typeof ${key}; ${flags} }`));
    const hook = HOOKS[direction];
    lines.push(
      `add chain ${TABLE} dispatch_${direction}`,
      `add chain ${TABLE} miss_${direction}`,
      add("chain", hook, `{ type filter hook ${hook} priority filter + 20; policy accept; }`),
    );
    fill(`miss_${direction}`, missRules(direction, ruleset.generation));
    fill(hook, [
      "ct state established,related accept",
      "jump lifeline",
      "meta l4proto 6 ct state invalid counter name c_invalid accept",
      "meta l4proto 6 tcp flags & (fin | syn | rst | ack) != syn counter name c_midstream accept",
      `jump dispatch_${direction}`,
      `goto miss_${direction}`,
    ]);
  }
  return `${[...lines, ...rules].join("\n")}\n`;
}

/** The sets and chains of one generation, which nothing refers to yet. */
export function generationText(ruleset: HostRuleset): string {
  const { generation } = ruleset;
  const lines: string[] = [];
  for (const set of ruleset.permits) {
    const name = setName(set, generation);
    lines.push(add("set", name, `{ typeof ${keyText(set.kind, set.family)}; flags interval; counter; }`));
    lines.push(`flush set ${TABLE} ${name}`);
    const elements = elementTexts(set);
    if (elements.length > 0) lines.push(add("element", name, `{\n  ${elements.join(",\n  ")}\n}`));
  }
  for (const direction of ruleset.directions) {
    const chain = chainName(direction, generation);
    lines.push(`add chain ${TABLE} ${chain}`, `flush chain ${TABLE} ${chain}`);
    for (const set of ruleset.permits.filter((candidate) => candidate.direction === direction)) {
      const match = `${keyText(set.kind, set.family)} @${setName(set, generation)}`;
      lines.push(`add rule ${TABLE} ${chain} ${match} accept`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Makes this generation the one that is asked. */
export function flipText(ruleset: HostRuleset): string {
  return ruleset.directions
    .flatMap((direction) => [
      `flush chain ${TABLE} dispatch_${direction}`,
      `add rule ${TABLE} dispatch_${direction} jump ${chainName(direction, ruleset.generation)}`,
    ])
    .map((line) => `${line}\n`)
    .join("");
}

/**
 * Empties the lease (audit) or fills it (deny): for `leaseMs`, after which the kernel falls back to audit by itself, or
 * for good when absent.
 */
export function leaseText(mode: PolicyMode, leaseMs?: number): string {
  const flush = `flush set ${TABLE} lease\n`;
  if (mode === "audit") return flush;
  const until = leaseMs === undefined ? "" : ` timeout ${Math.ceil(leaseMs)}ms`;
  return `${flush}add element ${TABLE} lease { ipv4${until}, ipv6${until} }\n`;
}
