import type { PolicyMode } from "../../policy-set.js";
import { HOST_DIRECTIONS, type HostDirection, type HostRuleset, type TablePlan } from "./host-ruleset.js";
import { noteRules, noteSets } from "./miss-text.js";
import {
  addressText,
  behindName,
  chainName,
  generationName,
  kernelSets,
  scopeText,
  setName,
  TABLE,
} from "./nft-text.js";

/**
 * The table, read from top to bottom as a packet does:
 *
 *     input -> to be cut? -> established? accept -> lifeline -> dispatch_in -> in_SCOPE_gN -> permitted? accept
 *                                                                   `-> miss_in: each scope notes who and what,
 *                                                                       drop if one of their leases lives, else accept
 *
 * Audit and deny are the same rules. Deny is the lease: a set that the kernel empties by itself when nobody renews it. A
 * packet that the host forwards passes two such chains, as what its sender may send and as what its receiver may get.
 */
const HOOKS: Readonly<Record<HostDirection, { readonly chain: string; readonly hook: string }>> = {
  in: { chain: "input", hook: "type filter hook input priority filter + 20; policy accept;" },
  out: { chain: "output", hook: "type filter hook output priority filter + 20; policy accept;" },
  from: { chain: "forward_from", hook: "type filter hook forward priority filter + 20; policy accept;" },
  to: { chain: "forward_to", hook: "type filter hook forward priority filter + 21; policy accept;" },
};

/** Bits of the label that the kernel keeps for a connection. */
const LABEL = { missed: 100, permitted: 101, toHost: 102 } as const;

/** How each of the two families is matched by an address. */
const IP = { 4: "ip", 6: "ip6" } as const;

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

function directionsOf({ scopes }: TablePlan): HostDirection[] {
  return HOST_DIRECTIONS.filter((direction) => scopes.some(({ directions }) => directions.includes(direction)));
}

function scopesOf({ scopes }: TablePlan, direction: HostDirection): HostRuleset[] {
  return scopes.filter(({ directions }) => directions.includes(direction));
}

function baseChain(direction: HostDirection): ChainText {
  const { chain, hook } = HOOKS[direction];
  return {
    name: chain,
    hook,
    rules: [
      `ct label ${LABEL.missed} meta nfproto @cut jump cut_${direction}`,
      ...beforeJudgement(),
      `jump dispatch_${direction}`,
      `goto miss_${direction}`,
    ],
  };
}

/** What no policy is asked about. */
function beforeJudgement(): string[] {
  return [
    "ct state established,related accept",
    "jump lifeline",
    "meta l4proto 6 ct state invalid counter name c_invalid accept",
    "meta l4proto 6 tcp flags & (fin | syn | rst | ack) != syn counter name c_midstream accept",
  ];
}

/**
 * Connections to a port of this host that is published from an address which the inventory does not know, such as a
 * container's: judged as what comes in, by the address and port that the client asked for. Those are known before the
 * translation alone, so they are looked up there and the answer is kept with the connection.
 */
function publishedChains(plan: TablePlan): ChainText[] {
  return [
    { name: "dispatch_published", rules: [] },
    { name: "known_behind", rules: [] },
    {
      name: "published",
      hook: "type filter hook prerouting priority mangle; policy accept;",
      rules: [`ct state new fib daddr type local ct label set ${LABEL.toHost} jump dispatch_published`],
    },
    {
      name: "forward_published",
      hook: "type filter hook forward priority filter + 22; policy accept;",
      rules: [
        ...beforeJudgement(),
        `ct label ${LABEL.permitted} accept`,
        "jump known_behind",
        `ct status dnat ct label ${LABEL.toHost} goto miss_in`,
      ],
    },
  ].filter(() => hasPublished(plan));
}

function hasPublished(plan: TablePlan): boolean {
  return plan.isPublishing && directionsOf(plan).includes("in");
}

/** What no generation changes: base chains, lifelines, counters, leases. Loading it again changes nothing. */
export function structureText(plan: TablePlan): string {
  const sets = [
    ...plan.scopes.map(({ policySet }) => `set lease_${scopeText(policySet)} { typeof meta nfproto; flags timeout; }`),
    "set cut { typeof meta nfproto; flags timeout; }",
    "counter c_invalid { }",
    "counter c_midstream { }",
  ];
  const chains: ChainText[] = [
    { name: "lifeline", rules: ["meta iif lo accept", "meta oif lo accept", ...plan.lifelines] },
    { name: "refuse", rules: ["meta l4proto 6 reject with tcp reset", "drop"] },
  ];
  for (const direction of directionsOf(plan)) {
    for (const { policySet } of scopesOf(plan, direction)) {
      sets.push(...noteSets(direction, policySet));
      chains.push({ name: `note_${direction}_${policySet}`, rules: noteRules(direction, policySet) });
    }
    for (const name of ["dispatch", "miss", "cut"]) chains.push({ name: `${name}_${direction}`, rules: [] });
    chains.push(baseChain(direction));
  }
  return tableText([], sets, [...chains, ...publishedChains(plan)]);
}

/** The sets and chains of one generation, which nothing refers to yet. */
export function generationText(ruleset: HostRuleset, revision = 0, isPublishing = false): string {
  const generation = generationName(ruleset, revision);
  const declarations: string[] = [];
  const sets: string[] = [];
  const addSet = (name: string, type: string, elements: readonly string[]) => {
    declarations.push(`add set ${TABLE} ${name} { ${type} }`, `flush set ${TABLE} ${name}`);
    const lines = elements.map((element) => `      ${element}`);
    sets.push(`set ${name} {\n    ${type}\n    elements = {\n${lines.join(",\n")}\n    }\n  }`);
  };
  for (const set of ruleset.behind) {
    const field = set.direction === "to" ? "daddr" : "saddr";
    const type = `typeof ${IP[set.family]} ${field}; flags interval;`;
    addSet(behindName(set, generation), type, set.ranges.map(addressText));
  }
  const permits = ruleset.permits.flatMap((set) => kernelSets(set).map((held) => ({ ...held, of: set.direction })));
  for (const set of permits) {
    addSet(setName(set, generation), `typeof ${set.key}; flags interval; counter;`, set.texts);
  }
  const rulesOf = (direction: HostDirection, verdict: string) =>
    permits.filter(({ of }) => of === direction).map((set) => `${set.key} @${setName(set, generation)} ${verdict}`);
  const chains = ruleset.directions.map(
    (direction): ChainText => ({ name: chainName(direction, generation), rules: rulesOf(direction, "accept") }),
  );
  if (isPublishing && ruleset.directions.includes("in")) {
    const rules = rulesOf("in", `ct label set ${LABEL.permitted} accept`);
    chains.push({ name: `published_${generation}`, rules });
  }
  return tableText(declarations, sets, chains);
}

/** Names of all sets and chains that `generationText` makes. */
export function generationNames(ruleset: HostRuleset, revision = 0): string[] {
  const generation = generationName(ruleset, revision);
  return [
    ...ruleset.behind.map((set) => behindName(set, generation)),
    ...ruleset.permits.flatMap(kernelSets).map((set) => setName(set, generation)),
    ...ruleset.directions.map((direction) => chainName(direction, generation)),
    `published_${generation}`,
  ];
}

/** Conditions under which a miss is one of the scope's: always, or only for those behind us that it isolates. */
function judgedTexts(ruleset: HostRuleset, direction: HostDirection, generation: string): string[] {
  if (direction === "in" || direction === "out") return [""];
  const field = direction === "to" ? "daddr" : "saddr";
  return ruleset.behind
    .filter((set) => set.direction === direction)
    .map((set) => `${IP[set.family]} ${field} @${behindName(set, generation)} `);
}

/**
 * Makes these generations the ones that are asked. All rules of a transaction begin to hold at once, and the sets that they
 * look into are not touched by it, so no packet meets a half of each.
 * @param revisions of each scope, by the name of its policy set; 0 where absent
 */
export function flipText(plan: TablePlan, revisions: ReadonlyMap<string, number> = new Map()): string {
  const lines: string[] = [];
  const refill = (chain: string, rules: readonly string[]) => {
    lines.push(`flush chain ${TABLE} ${chain}`, ...rules.map((rule) => `add rule ${TABLE} ${chain} ${rule}`));
  };
  const nameOf = (ruleset: HostRuleset) => generationName(ruleset, revisions.get(ruleset.policySet) ?? 0);
  for (const direction of directionsOf(plan)) {
    const scopes = scopesOf(plan, direction);
    const judged = scopes.map((scope) => ({
      scope: scope.policySet,
      conditions: judgedTexts(scope, direction, nameOf(scope)),
    }));
    /** All conditions under which one of the scopes denies, with what is to happen then. */
    const onLease = (action: string) =>
      judged.flatMap(({ scope, conditions }) =>
        conditions.map((condition) => `${condition}meta nfproto @lease_${scope} ${action}`),
      );
    refill(
      `dispatch_${direction}`,
      scopes.map((scope) => `jump ${chainName(direction, nameOf(scope))}`),
    );
    refill(`miss_${direction}`, [
      ...judged.flatMap(({ scope, conditions }) =>
        conditions.map((condition) => `${condition}jump note_${direction}_${scope}`),
      ),
      ...onLease("drop"),
      `ct label set ${LABEL.missed}`,
      "accept",
    ]);
    refill(`cut_${direction}`, [
      "ct direction reply return",
      "jump lifeline",
      `jump dispatch_${direction}`,
      ...onLease("goto refuse"),
    ]);
  }
  if (hasPublished(plan)) {
    const scopes = scopesOf(plan, "in");
    refill(
      "dispatch_published",
      scopes.map((scope) => `jump published_${nameOf(scope)}`),
    );
    const knownOf = (family: 4 | 6) => plan.behind.filter((range) => range.family === family).map(addressText);
    refill(
      "known_behind",
      ([4, 6] as const)
        .filter((family) => knownOf(family).length > 0)
        .map((family) => `${IP[family]} daddr { ${knownOf(family).join(", ")} } accept`),
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * Empties the lease of a policy set (audit) or fills it (deny): for `leaseMs`, after which the kernel falls back to audit
 * by itself, or for good when absent.
 */
export function leaseText(scope: string, mode: PolicyMode, leaseMs?: number): string {
  const lease = `${TABLE} lease_${scopeText(scope)}`;
  // Adding what is there renews nothing, so the lease is emptied in any case; a transaction shows no packet the gap.
  const flush = `flush set ${lease}\n`;
  if (mode === "audit") return flush;
  const until = leaseMs === undefined ? "" : ` timeout ${Math.ceil(leaseMs)}ms`;
  return `${flush}add element ${lease} { ipv4${until}, ipv6${until} }\n`;
}
