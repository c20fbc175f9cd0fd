import { discover } from "../analyzer/discovery/discover.js";
import type { ConversationWindow } from "../model/conversation.js";
import { HOUR_US } from "../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../model/workload.js";
import { type Bench, figure } from "./bench.js";
import { seededRandom } from "./random.js";

interface Size {
  readonly hosts: number;
  readonly roles: number;
  readonly hours: number;
  readonly isLabelled: boolean;
}

interface Made {
  readonly windows: readonly ConversationWindow[];
  readonly inventory: Inventory;
  readonly conversations: number;
}

const START_US = 1_767_225_600_000_000;

/** Hosts in roles of very different size; each role uses the services of a few others, two servers each. */
function makeNetwork({ hosts, roles, hours, isLabelled }: Size): Made {
  const random = seededRandom(7);
  const members = Array.from({ length: roles }, (): Workload[] => []);
  const all = Array.from({ length: hosts }, (_, i) => {
    const role = Math.min(roles - 1, Math.floor(roles * random() ** 2.5));
    const host: Workload = {
      id: `ns${role % 10}/h${String(i).padStart(6, "0")}`,
      namespace: `ns${role % 10}`,
      name: `h${i}`,
      kind: "Host",
      labels: isLabelled ? { app: `app${role}` } : {},
      addresses: [{ address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }],
    };
    members[role]?.push(host);
    return { host, role };
  });
  const uses = Array.from({ length: roles }, () =>
    Array.from({ length: 4 }, () => ({ role: Math.floor(random() * roles), port: 1024 + Math.floor(random() * 6000) })),
  );
  const windows: ConversationWindow[] = [];
  let conversations = 0;
  for (const { host, role } of all) {
    for (const use of uses[role] ?? []) {
      const servers = members[use.role] ?? [];
      for (let i = 0; i < 2 && servers.length > 0; i++) {
        const server = servers[Math.floor(random() * Math.min(8, servers.length))] as Workload;
        conversations++;
        for (let hour = 0; hour < hours; hour++) {
          if (random() < 0.5) windows.push(windowOf(host, server, use.port, START_US + hour * HOUR_US));
        }
      }
    }
  }
  const workloads = all.map(({ host }) => host).sort((a, b) => (a.id < b.id ? -1 : 1));
  return { windows, inventory: { ...EMPTY_INVENTORY, workloads }, conversations };
}

function windowOf(client: Workload, server: Workload, serverPort: number, windowStartUs: number): ConversationWindow {
  return {
    client: client.addresses[0]?.address ?? "",
    server: server.addresses[0]?.address ?? "",
    protocol: 6,
    serverPort,
    scope: "",
    windowStartUs,
    windowUs: HOUR_US,
    flows: { answered: 3, refused: 0, unanswered: 0, midstream: 0 },
    clientPackets: 18,
    serverPackets: 15,
    clientBytes: 1800,
    serverBytes: 6000,
    firstSeenUs: windowStartUs + 1000,
    lastSeenUs: windowStartUs + HOUR_US - 1000,
    isDirectionCertain: true,
    observers: ["sensor-1"],
    names: [],
    clientIdentity: { kind: "workload", id: client.id },
    serverIdentity: { kind: "workload", id: server.id },
  };
}

/** How long a proposal takes, backtest included. */
export const discoveryBench: Bench = {
  name: "discovery",
  about: "conversation windows -> proposal, with and without labels",
  async run({ isQuick, say }) {
    const sizes: readonly Omit<Size, "isLabelled">[] = isQuick
      ? [{ hosts: 200, roles: 20, hours: 12 }]
      : [
          { hosts: 1_250, roles: 60, hours: 24 },
          { hosts: 10_000, roles: 200, hours: 8 },
        ];
    const rows: string[][] = [];
    for (const size of sizes) {
      for (const isLabelled of [true, false]) {
        say(`${size.hosts} hosts ${isLabelled ? "with" : "without"} labels`);
        const { windows, inventory, conversations } = makeNetwork({ ...size, isLabelled });
        const walls: number[] = [];
        const cpus: number[] = [];
        let rules = 0;
        for (let run = 0; run < (isQuick ? 1 : 3); run++) {
          const started = performance.now();
          const cpu = process.cpuUsage();
          rules = discover({ windows, inventory, gaps: [], samples: () => [] }).policySet.rules.length;
          const { user, system } = process.cpuUsage(cpu);
          walls.push((performance.now() - started) / 1000);
          cpus.push((user + system) / 1e6);
        }
        const name = `${size.hosts} hosts, ${isLabelled ? "labels" : "no labels"}`;
        const figures = [conversations, windows.length, rules].map(String);
        rows.push([name, ...figures, figure(Math.min(...walls)), figure(Math.min(...cpus))]);
      }
    }
    return [
      {
        title: "Conversation windows -> proposal",
        columns: ["network", "conversations", "windows", "rules", "wall s", "CPU s"],
        rows,
        notes: [
          "Best of three runs in this process; CPU is that of all threads, garbage collection included. Stated limits: 10 000 conversations in 1 s, 10 000 hosts in 60 s.",
        ],
      },
    ];
  },
};
