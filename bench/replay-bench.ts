import { rmSync } from "node:fs";
import { join } from "node:path";
import { replayStore } from "../analyzer/replay/replay-store.js";
import { Store } from "../analyzer/store/store.js";
import { FLOW_BATCH_VERSION, type FlowBatch } from "../model/flow-batch.js";
import { EVIDENCE, OUTCOMES } from "../model/flow-record.js";
import { selectorOfLabels } from "../model/label-selector.js";
import { HOUR_US } from "../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../model/workload.js";
import type { AllowRule } from "../policy/allow-rule.js";
import type { Peer } from "../policy/peer.js";
import { POLICY_SET_VERSION, type PolicySet } from "../policy/policy-set.js";
import { type Bench, figure } from "./bench.js";
import { seededRandom } from "./random.js";

const HOSTS = 2000;
const APPS = 200;
const EDGES = 20_000; // conversations, each seen once an hour
const START_US = 1_767_225_600_000_000;

const everything = { requirements: [] };

/** Ten hosts to an app. */
function makeInventory(): Inventory {
  const workloads = Array.from({ length: HOSTS }, (_, i): Workload => {
    const name = `h${String(i).padStart(4, "0")}`;
    const address = `10.0.${i >> 8}.${i & 255}`;
    return {
      id: `ns/${name}`,
      namespace: "ns",
      name,
      kind: "Host",
      labels: { app: `a${i % APPS}` },
      addresses: [{ address }],
    };
  });
  return { ...EMPTY_INVENTORY, workloads, namespaces: [{ name: "ns", labels: {} }] };
}

interface Edge {
  readonly client: number;
  readonly server: number;
  readonly port: number;
}

function makeEdges(): Edge[] {
  const random = seededRandom(11);
  const below = (n: number) => Math.floor(random() * n);
  const edges = new Map<string, Edge>();
  while (edges.size < EDGES) {
    const edge = { client: below(HOSTS), server: below(HOSTS), port: 1024 + below(400) };
    if (edge.client !== edge.server) edges.set(`${edge.client} ${edge.server} ${edge.port}`, edge);
  }
  return [...edges.values()];
}

/** One answered flow of every edge in one hour. */
function batchOf(edges: readonly Edge[], hour: number): FlowBatch {
  const { length } = edges;
  const column = <T>(make: (edge: Edge, i: number) => T) => edges.map(make);
  const startUs = START_US + hour * HOUR_US;
  const addressBytes = new Uint8Array(16 * HOSTS);
  for (let i = 0; i < HOSTS; i++) addressBytes.set([10, 0, i >> 8, i & 255], 16 * i);
  return {
    version: FLOW_BATCH_VERSION,
    origin: { collector: "bench", boot: "b", sequence: hour, bucket: 0 },
    loss: { dropped: 0 },
    length,
    addressFamily: new Uint8Array(HOSTS).fill(4),
    addressBytes,
    protocol: new Uint8Array(length).fill(6),
    originatorAddress: Uint32Array.from(column(({ client }) => client)),
    responderAddress: Uint32Array.from(column(({ server }) => server)),
    originatorPort: Uint16Array.from(column((_, i) => 32_768 + ((i + 7 * hour) % 28_000))),
    responderPort: Uint16Array.from(column(({ port }) => port)),
    originatorPackets: new Float64Array(length).fill(6),
    responderPackets: new Float64Array(length).fill(5),
    originatorBytes: new Float64Array(length).fill(600),
    responderBytes: new Float64Array(length).fill(5000),
    originatorTcpFlags: new Uint8Array(length).fill(0x1b),
    responderTcpFlags: new Uint8Array(length).fill(0x1b),
    startUs: Float64Array.from(column((_, i) => startUs + i * 100)),
    endUs: Float64Array.from(column((_, i) => startUs + i * 100 + 50_000)),
    outcome: new Uint8Array(length).fill(OUTCOMES.indexOf("answered")),
    evidence: new Uint8Array(length).fill(EVIDENCE.indexOf("syn")),
    icmp: new Uint16Array(length).fill(0xffff),
    depth: new Uint8Array(length),
    scope: new Uint32Array(length),
    scopes: [""],
    nameOffsets: new Uint32Array(length + 1),
    nameIds: new Uint32Array(0),
    nameSources: new Uint8Array(0),
    names: [],
  };
}

/** A rule for every app that serves, which allows most of what was seen. */
function makePolicySet(): PolicySet {
  const app = (number: number): Peer => ({
    kind: "workloads",
    selector: { namespaces: everything, labels: selectorOfLabels({ app: `a${number}` }), serviceAccounts: [] },
  });
  const rules = Array.from({ length: 1000 }, (_, i): AllowRule => {
    const first = 1024 + (i % 5) * 80;
    return {
      id: `r${String(i).padStart(4, "0")}`,
      client: i % 3 === 0 ? { kind: "any" } : { kind: "cidr", cidr: "10.0.0.0/22", except: [] },
      server: app(i % APPS),
      services: [{ kind: "ports", protocol: "tcp", ports: { first, last: first + 79 } }],
      reason: "a measurement",
      confidence: 1,
      widenings: [],
    };
  });
  const selector = { namespaces: everything, labels: everything, serviceAccounts: [] };
  return {
    version: POLICY_SET_VERSION,
    name: "bench",
    generation: 1,
    rules,
    isolations: [{ selector, direction: "ingress", mode: "deny" }],
    groups: [],
  };
}

/** A policy over the conversation windows of a store; all but the newest hours are sealed, as in a store that has run for weeks. */
export const replayBench: Bench = {
  name: "replay",
  about: "a policy asked about 10 million stored conversations",
  async run({ isQuick, folder, say }) {
    const hours = isQuick ? 5 : 500;
    const path = join(folder, "replay.duckdb");
    const inventory = makeInventory();
    const edges = makeEdges();
    const store = await Store.open({ path, maxFlows: 20 * EDGES });
    try {
      await store.reattribute(inventory);
      for (let hour = 0; hour < hours; hour++) {
        if (hour % 50 === 0) say(`storing hour ${hour} of ${hours}`);
        await store.append([batchOf(edges, hour)]);
      }
    } finally {
      await store.close();
    }
    const policySet = makePolicySet();
    const rows: string[][] = [];
    for (let run = 0; run < (isQuick ? 1 : 3); run++) {
      say(`replay ${run + 1}`);
      const started = performance.now();
      const result = await replayStore(path, policySet, {});
      const seconds = (performance.now() - started) / 1000;
      const { conversationWindows, allowedFlows, deniedFlows } = result;
      rows.push([conversationWindows, allowedFlows, deniedFlows].map(String).concat(figure(seconds, 1), "10"));
    }
    rmSync(path, { force: true });
    return [
      {
        title: `A policy of ${policySet.rules.length} rules over ${EDGES} edges in ${hours} hours`,
        columns: ["windows", "flows allowed", "flows denied", "seconds", "wanted below"],
        rows,
        notes: ["Opening the store and closing it included."],
      },
    ];
  },
};
