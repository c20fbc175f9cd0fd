import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
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
import { medianInterval } from "./median-interval.js";
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

/** CPU of this process and of the children that have ended, in seconds; of children in steps of 10 ms. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (user + system) / 1e6 + (Number(fields[13]) + Number(fields[14])) / 100;
}

/** Seconds until a policy is rendered and in force, first of all and as a rule; and the same for linear rules. */
async function applyRow(nft: Nft, rules: number, runs: number): Promise<string[]> {
  const times: Record<"render" | "force" | "cpu" | "linear", number[]> = { render: [], force: [], cpu: [], linear: [] };
  const policy = policyOf(rules);
  for (let i = 0; i < runs; i++) {
    await nft.apply(REMOVE);
    const cpu = cpuSeconds();
    const began = performance.now();
    const wanted = wantedTable({ host: HOST, policySets: [policy], inventory: INVENTORY, isForwarding: false });
    const plan = planLoad(wanted, undefined);
    const rendered = performance.now();
    await nft.apply(plan!.build);
    await nft.apply(plan!.flip);
    times.render.push((rendered - began) / 1000);
    times.force.push((performance.now() - began) / 1000);
    times.cpu.push(cpuSeconds() - cpu);
    await nft.apply(REMOVE);
    const linear = performance.now();
    await nft.apply(linearText(rules));
    times.linear.push((performance.now() - linear) / 1000);
  }
  const { render, force, cpu, linear } = times;
  const shown = [median(render), median(force), Math.min(...force), force[0]!, median(cpu), 0.5, median(linear)];
  return [String(rules), ...shown.map((seconds) => figure(seconds))];
}

type What = "stream" | "connect";

interface Offered {
  readonly perSecond: number;
  readonly perCpuSecond: number; // of sender and receiver, with what the kernel does on their behalf
}

/** Seconds that a process was on a core. */
function onCpu(pid: number): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

async function offered(pair: NamespacePair, server: number, what: What, seconds: number): Promise<Offered> {
  const args = ["netns", "exec", pair.left, process.execPath, LOAD, what, pair.rightAddress, `${PORT}`, `${seconds}`];
  const before = onCpu(server);
  const { stdout } = await run("ip", args);
  const told = JSON.parse(stdout) as { done: number; seconds: number; cpuSeconds: number };
  const cpu = told.cpuSeconds + onCpu(server) - before;
  return { perSecond: told.done / told.seconds, perCpuSecond: told.done / cpu };
}

/** Each kind of ruleset in turn, in another order each round, so that the drift of the machine meets all alike. */
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
  const found = kinds.map(() => ({ stream: [] as Offered[], connect: [] as Offered[] }));
  try {
    await offered(pair, server.pid!, "connect", 0.5); // the first of all is slower than any
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`);
      for (let turn = 0; turn < kinds.length; turn++) {
        const at = (turn + round) % kinds.length;
        await nft.apply(REMOVE);
        await kinds[at]![1]();
        for (const what of ["stream", "connect"] as const) {
          found[at]![what].push(await offered(pair, server.pid!, what, 0.7));
        }
      }
    }
  } finally {
    server.kill("SIGKILL");
    await nft.apply(REMOVE);
  }
  // Of each round the ratio to its own round without rules.
  const ratio = (at: number, what: What, of: keyof Offered) => {
    const ratios = found[at]![what].map((value, i) => value[of] / found[0]![what][i]![of]);
    const { low, median: middle, high } = medianInterval(ratios);
    return at === 0 ? figure(1) : `${figure(middle)} (${figure(low)} to ${figure(high)})`;
  };
  return kinds.map(([name], at) => [
    name,
    figure((median(found[at]!.stream.map(({ perSecond }) => perSecond)) * 8) / 1e9, 1),
    ratio(at, "stream", "perSecond"),
    ratio(at, "stream", "perCpuSecond"),
    figure(median(found[at]!.connect.map(({ perSecond }) => perSecond)), 0),
    ratio(at, "connect", "perSecond"),
    ratio(at, "connect", "perCpuSecond"),
  ]);
}

/** What enforcing costs: to change the rules, and the traffic under them. */
export const enforcerBench: Bench = {
  name: "enforcer",
  about: "nftables: a whole policy in force, and throughput under it (wants root)",
  async run({ isQuick, say }): Promise<readonly BenchTable[]> {
    const title = "One host's whole policy into the kernel, median";
    const columns = ["rules", "render s", "in force s", "least", "first", "CPU s", "wanted below", "linear rules s"];
    if (process.getuid?.() !== 0) {
      return [{ title, columns, rows: [], notes: ["Not measured: it wants root, nft and the ip command."] }];
    }
    const pair = makeNamespacePair();
    try {
      const nft = new Nft({ wrap: ["ip", "netns", "exec", pair.right] });
      const rows: string[][] = [];
      for (const rules of isQuick ? [100] : [10_000, 1000]) {
        say(`${rules} rules`);
        rows.push(await applyRow(nft, rules, isQuick ? 1 : 11));
      }
      const most = isQuick ? 100 : 10_000;
      const traffic = await trafficRows(pair, nft, most, isQuick ? 1 : 25, say);
      return [
        {
          title,
          columns,
          rows,
          notes: [
            "In force: rendered, built and flipped, two processes of nft included; of 11 runs. First of",
            "10,000: before Node has compiled anything. CPU: of Node, its collector and compiler threads, and nft; on two idle cores it is more than it takes.",
          ],
        },
        {
          title: "TCP between two network namespaces, rules at the receiver, paired with no rules, median",
          columns: ["", "Gbit/s", "of no rules", "per CPU", "connections/s", "of no rules", "per CPU"],
          rows: [...traffic, ["limit: portolan", "", ">= 0.85", "", "", ">= 0.85", ""]],
          notes: [
            "Sender and receiver are Node and share the machine's cores with the kernel. In brackets: where the true median of the",
            "ratios lies in 95 of 100 cases. Per CPU: work for each second of CPU of both, which neighbours disturb less.",
          ],
        },
      ];
    } finally {
      pair.remove();
    }
  },
};
