import { selectorOfLabels } from "../model/label-selector.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../model/workload.js";
import type { AllowRule } from "../policy/allow-rule.js";
import { compare } from "../policy/compare.js";
import { servicePoint } from "../policy/decision/service-line.js";
import { programOfPolicySet } from "../policy/neutral.js";
import type { Peer } from "../policy/peer.js";
import { POLICY_SET_VERSION, type PolicySet } from "../policy/policy-set.js";
import { compilePolicy } from "../policy/verdict.js";
import { type Bench, type BenchTable, figure } from "./bench.js";

/** Numbers that look random and are the same in every run (xorshift32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

/** `count` workloads with an address each, ten to an app, a hundred to a namespace. */
function makeInventory(count: number): Inventory {
  const workloads = Array.from({ length: count }, (_, i): Workload => {
    const namespace = `ns-${Math.floor(i / 100)}`;
    return {
      id: `${namespace}/w-${i}`,
      namespace,
      name: `w-${i}`,
      kind: "Pod",
      labels: { app: `app-${Math.floor(i / 10)}`, workload: `w-${i}` },
      addresses: [{ address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }],
    };
  });
  workloads.sort((a, b) => (a.id < b.id ? -1 : 1));
  const namespaces = [...new Set(workloads.map((w) => w.namespace))].map((name) => ({ name, labels: {} }));
  return { ...EMPTY_INVENTORY, workloads, namespaces };
}

/** Rules between single workloads, whole apps, whole namespaces and address blocks; everybody is isolated both ways. */
function makePolicySet(rules: number, workloads: number, seed = 7): PolicySet {
  const roll = dice(seed);
  const everything = { requirements: [] };
  const selected = (labels: Record<string, string>, namespaces: Record<string, string> = {}): Peer => ({
    kind: "workloads",
    selector: { namespaces: selectorOfLabels(namespaces), labels: selectorOfLabels(labels), serviceAccounts: [] },
  });
  const peer = (): Peer => {
    const kind = roll(100);
    if (kind < 55) return selected({ app: `app-${roll(workloads / 10)}` });
    if (kind < 80) return selected({ workload: `w-${roll(workloads)}` });
    if (kind < 82) return selected({}, { "kubernetes.io/metadata.name": `ns-${roll(Math.ceil(workloads / 100))}` });
    if (kind < 90) return { kind: "cidr", cidr: `198.${18 + roll(2)}.${roll(256)}.0/24`, except: [] };
    return { kind: "cidr", cidr: `192.0.2.${roll(256)}/32`, except: [] };
  };
  const isolated = { namespaces: everything, labels: everything, serviceAccounts: [] };
  return {
    version: POLICY_SET_VERSION,
    name: "bench",
    generation: 1,
    rules: Array.from({ length: rules }, (_, i): AllowRule => {
      const first = 1 + roll(60000);
      return {
        id: `rule-${i}`,
        client: peer(),
        server: peer(),
        services: [{ kind: "ports", protocol: roll(4) === 0 ? "udp" : "tcp", ports: { first, last: first + roll(3) } }],
        reason: "a measurement",
        confidence: 1,
        widenings: [],
      };
    }),
    isolations: [
      { selector: isolated, direction: "egress", mode: "deny" },
      { selector: isolated, direction: "ingress", mode: "deny" },
    ],
    groups: [],
  };
}

const WORKLOADS = 1000;
const QUESTIONS = 1 << 16; // different ones; asked again and again

function verdictRow(inventory: Inventory, rules: number, rounds: number): string[] {
  const compiling = performance.now();
  const policy = compilePolicy(makePolicySet(rules, WORKLOADS), inventory);
  const roll = dice(3);
  const clients = Int32Array.from({ length: QUESTIONS }, () => roll(WORKLOADS));
  const servers = Int32Array.from({ length: QUESTIONS }, () => roll(WORKLOADS));
  const services = Int32Array.from({ length: QUESTIONS }, () => servicePoint(6, roll(65536)));
  let sum = 0;
  const first = performance.now();
  for (let i = 0; i < QUESTIONS; i++) sum += policy.code(clients[i]!, servers[i]!, services[i]!);
  const again = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < QUESTIONS; i++) sum += policy.code(clients[i]!, servers[i]!, services[i]!);
  }
  const done = performance.now();
  const rate = (rounds * QUESTIONS) / (done - again) / 1000;
  if (sum === 0) throw new RangeError("Cannot measure verdicts: nothing is denied");
  return [String(rules), figure(first - compiling, 0), figure((again - first) / 1000), figure(rate, 1), "2.0"];
}

function compareRow(inventory: Inventory, rules: number): string[] {
  const a = makePolicySet(rules, WORKLOADS);
  const reversed = { ...a, rules: [...a.rules].reverse() };
  const [last] = a.rules.slice(-1);
  const other: PolicySet = { ...a, rules: [...a.rules.slice(0, -1), { ...last!, services: [{ kind: "any" }] }] };
  const time = (b: PolicySet, wanted: string) => {
    const runs = Array.from({ length: 3 }, () => {
      const started = performance.now();
      const { kind } = compare(programOfPolicySet(a, inventory), programOfPolicySet(b, inventory), inventory);
      if (kind !== wanted) throw new RangeError(`Cannot measure: wanted policies that are ${wanted}`);
      return performance.now() - started;
    });
    return figure(runs.sort((x, y) => x - y)[1]!, 0);
  };
  return [String(rules), time(reversed, "equal"), time(other, "different"), "1000"];
}

/** The verdict engine and the equality proof, at sizes of a large cluster. */
export const policyBench: Bench = {
  name: "policy",
  about: "verdicts for traffic, and the proof that two policies are equal",
  async run({ isQuick, say }) {
    const sizes = isQuick ? [100, 1000] : [100, 1000, 10_000];
    const inventory = makeInventory(WORKLOADS);
    const tables: BenchTable[] = [
      {
        title: `Verdicts among ${WORKLOADS} workloads`,
        columns: ["rules", "compile ms", "first 65536, s", "then M verdicts/s", "wanted"],
        rows: sizes.map((rules) => {
          say(`${rules} rules`);
          return verdictRow(inventory, rules, isQuick ? 4 : 80);
        }),
        notes: [
          "One process, one core. Workloads, ports and rules are random; the first question about a pair fills its table.",
        ],
      },
      {
        title: `compare() over ${WORKLOADS} workloads and all other addresses`,
        columns: ["rules", "equal ms", "different ms", "wanted below"],
        rows: sizes.filter((rules) => rules >= 1000).map((rules) => compareRow(inventory, rules)),
        notes: ["Both policies compiled and proven equal, or told apart by one packet; the middle one of three runs."],
      },
    ];
    return tables;
  },
};
