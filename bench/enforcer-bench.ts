import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { planLoad } from "../enforcer/load-steps.js";
import { Nft } from "../enforcer/nft.js";
import { openKernel } from "../enforcer/nft-kernel.js";
import { wantedTable } from "../enforcer/wanted-table.js";
import { selectorOfLabels } from "../model/label-selector.js";
import { EMPTY_INVENTORY, type Inventory } from "../model/workload.js";
import type { AllowRule } from "../policy/allow-rule.js";
import { POLICY_SET_VERSION, type PolicySet } from "../policy/policy-set.js";
import { type Bench, type BenchTable, figure } from "./bench.js";
import { median } from "./measure.js";
import { makeNamespacePair, type NamespacePair } from "./namespace-pair.js";

const LOAD = fileURLToPath(new URL("./tcp-load.js", import.meta.url));
const run = promisify(execFile);
const PORT = 8080;
const HOST = "bench/host";

const INVENTORY: Inventory = {
  ...EMPTY_INVENTORY,
  workloads: [
    { id: HOST, namespace: "bench", name: "host", kind: "Host", labels: {}, addresses: [{ address: "10.77.0.2" }] },
  ],
  namespaces: [{ name: "bench", labels: {} }],
};

const clientOf = (i: number) => `10.${100 + (i >> 14)}.${(i >> 7) & 127}.${i & 127}`;
const portOf = (i: number) => 1024 + (i % 60_000);

/** As many rules as elements: each another client and another port; the last one is what the load uses. */
function policyOf(rules: number): PolicySet {
  const everything = { requirements: [] };
  const selector = { namespaces: everything, labels: selectorOfLabels({}), serviceAccounts: [] };
  const rule = (id: string, client: string, port: number): AllowRule => ({
    id,
    client: { kind: "cidr", cidr: `${client}/32`, except: [] },
    server: { kind: "workloads", selector },
    services: [{ kind: "ports", protocol: "tcp", ports: { first: port, last: port } }],
    reason: "a measurement",
    confidence: 1,
    widenings: [],
  });
  const others = Array.from({ length: rules - 1 }, (_, i) => rule(`r${i}`, clientOf(i), portOf(i)));
  return {
    version: POLICY_SET_VERSION,
    name: "bench",
    generation: 1,
    rules: [...others, rule("load", "10.77.0.1", PORT)],
    isolations: [{ selector, direction: "ingress", mode: "deny" }],
    groups: [],
  };
}

/** The same as most people would write it: a rule each, asked one after the other. */
function linearText(rules: number): string {
  const lines = Array.from(
    { length: rules - 1 },
    (_, i) => `    ip saddr ${clientOf(i)} tcp dport ${portOf(i)} accept`,
  );
  return `table inet linear {
  chain input {
    type filter hook input priority filter + 20; policy accept;
    ct state established,related accept
${lines.join("\n")}
    ip saddr 10.77.0.1 tcp dport ${PORT} accept
    drop
  }
}
`;
}

const REMOVE = "add table inet linear\ndelete table inet linear\nadd table inet portolan\ndelete table inet portolan\n";

/** Seconds to render, to be in force, and to have cleared up; and the same for linear rules. */
async function applyRow(nft: Nft, rules: number, runs: number): Promise<string[]> {
  const times: Record<"render" | "force" | "linear", number[]> = { render: [], force: [], linear: [] };
  const policy = policyOf(rules);
  for (let i = 0; i < runs; i++) {
    await nft.apply(REMOVE);
    const began = performance.now();
    const wanted = wantedTable({ host: HOST, policySets: [policy], inventory: INVENTORY, isForwarding: false });
    const plan = planLoad(wanted, undefined);
    const rendered = performance.now();
    await nft.apply(plan!.build);
    await nft.apply(plan!.flip);
    times.render.push(rendered - began);
    times.force.push(performance.now() - began);
    await nft.apply(REMOVE);
    const linear = performance.now();
    await nft.apply(linearText(rules));
    times.linear.push(performance.now() - linear);
  }
  const seconds = (values: readonly number[]) => figure(median(values) / 1000);
  return [String(rules), seconds(times.render), seconds(times.force), "0.50", seconds(times.linear)];
}

type What = "stream" | "connect";

async function offered(pair: NamespacePair, what: What, seconds: number): Promise<number> {
  const args = [
    "netns",
    "exec",
    pair.left,
    process.execPath,
    LOAD,
    what,
    pair.rightAddress,
    String(PORT),
    `${seconds}`,
  ];
  const { done, seconds: took } = JSON.parse((await run("ip", args)).stdout) as { done: number; seconds: number };
  return done / took;
}

/** Each kind of ruleset in turn, so that the drift of the machine meets all alike. */
async function trafficRows(
  pair: NamespacePair,
  nft: Nft,
  rules: number,
  rounds: number,
  say: (what: string) => void,
): Promise<string[][]> {
  const wrap = ["ip", "netns", "exec", pair.right];
  const wanted = wantedTable({ host: HOST, policySets: [policyOf(rules)], inventory: INVENTORY, isForwarding: false });
  const kinds: readonly (readonly [name: string, load: () => Promise<void>])[] = [
    ["no rules", async () => {}],
    [
      `portolan, ${rules} rules, deny`,
      async () => {
        const kernel = await openKernel({ host: HOST, wrap });
        await kernel.load(wanted);
        await kernel.lease("bench", "permanent");
        await kernel.close();
      },
    ],
    [`${rules} linear rules`, () => nft.apply(linearText(rules))],
  ];
  const server = spawn("ip", ["netns", "exec", pair.right, process.execPath, LOAD, "serve", String(PORT)]);
  await once(server.stdout, "data");
  const found = kinds.map(() => ({ stream: [] as number[], connect: [] as number[] }));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [at, [name, load]] of kinds.entries()) {
        say(`${name}, round ${round + 1} of ${rounds}`);
        await nft.apply(REMOVE);
        await load();
        for (const what of ["stream", "connect"] as const) found[at]![what].push(await offered(pair, what, 1.5));
      }
    }
  } finally {
    server.kill("SIGKILL");
    await nft.apply(REMOVE);
  }
  // Of each round the ratio to its own round without rules.
  const ratio = (at: number, what: What) => median(found[at]![what].map((value, i) => value / found[0]![what][i]!));
  return kinds.map(([name], at) => [
    name,
    figure((median(found[at]!.stream) * 8) / 1e9, 1),
    figure(ratio(at, "stream")),
    figure(median(found[at]!.connect), 0),
    figure(ratio(at, "connect")),
  ]);
}

/** What enforcing costs: to change the rules, and the traffic under them. */
export const enforcerBench: Bench = {
  name: "enforcer",
  about: "nftables: a whole policy in force, and throughput under it (wants root)",
  async run({ isQuick, say }): Promise<readonly BenchTable[]> {
    const title = "One host's whole policy into the kernel, median";
    const columns = ["rules", "render s", "in force s", "wanted below", "linear rules s"];
    if (process.getuid?.() !== 0) {
      return [{ title, columns, rows: [], notes: ["Not measured: it wants root, nft and the ip command."] }];
    }
    const pair = makeNamespacePair();
    try {
      const nft = new Nft({ wrap: ["ip", "netns", "exec", pair.right] });
      const rows: string[][] = [];
      for (const rules of isQuick ? [100] : [1000, 10_000]) {
        say(`${rules} rules`);
        rows.push(await applyRow(nft, rules, isQuick ? 1 : 7));
      }
      const most = isQuick ? 100 : 10_000;
      const traffic = await trafficRows(pair, nft, most, isQuick ? 1 : 7, say);
      return [
        { title, columns, rows, notes: ["In force: rendered, built and flipped, three processes of nft included."] },
        {
          title: "TCP between two network namespaces, rules at the receiver, paired with no rules, median",
          columns: ["", "Gbit/s", "of no rules", "connections/s", "of no rules"],
          rows: [...traffic, ["limit: portolan", "", ">= 0.85", "", ">= 0.85"]],
          notes: ["Sender and receiver are Node and share the machine's cores with the kernel."],
        },
      ];
    } finally {
      pair.remove();
    }
  },
};
