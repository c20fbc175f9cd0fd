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

interface ChainText {
  readonly name: string;
  readonly hook?: string; // of a base chain
  readonly rules: readonly string[];
}

/**
 * A block of our table. Chains and sets of permits are declared and emptied first, because a block adds to what is there:
 * so it may be loaded any number of times.
 */
function tableText(declarations: readonly string[], sets: readonly string[], chains: readonly ChainText[]): string {
  const declare = chains.map(
    ({ name, hook }) => `add chain ${TABLE} ${name}${hook === undefined ? "" : ` { ${hook} }`}`,
  );
  const empty = chains.map(({ name }) => `flush chain ${TABLE} ${name}`);
  const block = chains.map(({ name, hook, rules }) => {
    const lines = [...(hook === undefined ? [] : [hook]), ...rules].map((line) => `    ${line}`);
    return [`  chain ${name} {`, ...lines, "  }"].join("\n");
  });
  const body = [...(sets.length > 0 ? [sets.map((set) => `  ${set}`).join("\n")] : []), ...block].join("\n\n");
  return `${[`add table ${TABLE}`, ...declarations, ...declare, ...empty].join("\n")}\n\ntable ${TABLE} {\n${body}\n}\n`;
}

/** What no generation changes: base chains, lifelines, counters, the lease. Loading it again changes nothing. */
export function structureText(ruleset: HostRuleset, selection: Selection): string {
  const sets = [
    "set lease { typeof meta nfproto; flags timeout; }",
    "counter c_invalid { }",
    "counter c_midstream { }",
  ];
  const lifelines = ["meta iif lo accept", "meta oif lo accept", ...lifelineTexts(ruleset.lifelines, selection)];
  const chains: ChainText[] = [{ name: "lifeline", rules: lifelines }];
  for (const direction of ruleset.directions) {
    for (const counter of ["missed", "recorded", "denied"]) sets.push(`counter c_${direction}_${counter} { }`);
    for (const { name, key, flags } of missSets(direction)) sets.push(`set ${name} { typeof ${key}; ${flags} }`);
    const hook = HOOKS[direction];
    chains.push(
      { name: `dispatch_${direction}`, rules: [] },
      { name: `miss_${direction}`, rules: missRules(direction, ruleset.generation) },
      {
        name: hook,
        hook: `type filter hook ${hook} priority filter + 20; policy accept;`,
        rules: [
          "ct state established,related accept",
          "jump lifeline",
          "meta l4proto 6 ct state invalid counter name c_invalid accept",
          "meta l4proto 6 tcp flags & (fin | syn | rst | ack) != syn counter name c_midstream accept",
          `jump dispatch_${direction}`,
          `goto miss_${direction}`,
        ],
      },
    );
  }
  return tableText([], sets, chains);
}

/** The sets and chains of one generation, which nothing refers to yet. */
export function generationText(ruleset: HostRuleset): string {
  const { generation } = ruleset;
  const declarations: string[] = [];
  const sets: string[] = [];
  for (const set of ruleset.permits) {
    const name = setName(set, generation);
    const type = `typeof ${keyText(set.kind, set.family)}; flags interval; counter;`;
    declarations.push(`add set ${TABLE} ${name} { ${type} }`, `flush set ${TABLE} ${name}`);
    const elements = elementTexts(set).map((element) => `      ${element}`);
    sets.push(`set ${name} {\n    ${type}\n    elements = {\n${elements.join(",\n")}\n    }\n  }`);
  }
  const chains = ruleset.directions.map((direction): ChainText => {
    const asked = ruleset.permits.filter((set) => set.direction === direction);
    const rules = asked.map((set) => `${keyText(set.kind, set.family)} @${setName(set, generation)} accept`);
    return { name: chainName(direction, generation), rules };
  });
  return tableText(declarations, sets, chains);
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
