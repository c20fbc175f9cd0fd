import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { ConversationWindow } from "../../../model/conversation.js";
import { HOUR_US } from "../../../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory } from "../../../model/workload.js";

/** One network of the "Networks of Computing Hosts" data: who used which port of whom, hour by hour. */
export interface HourlyNetwork {
  readonly name: string;
  readonly windows: readonly ConversationWindow[];
  readonly inventory: Inventory; // every node a workload without labels
  readonly hours: number;
  readonly groups: readonly (readonly string[])[]; // true roles by node, where the data has them
}

/** Ports are renumbered from 1 in the data, so they are moved to where no number means anything. */
const FIRST_PORT = 10_000;
const EDGE_FILE = /^edges_to_ports_.*\.txt(\.gz)?$/;

function readText(path: string): string {
  const bytes = readFileSync(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
}

/** Lines `graph <tab> client <tab> server <tab> 1p6-22,1p17-4`: port, protocol, packets. */
function windowsOf(text: string, hour: number): ConversationWindow[] {
  const windows: ConversationWindow[] = [];
  for (const line of text.split("\n")) {
    const [, client, server, ports] = line.split("\t");
    if (client === undefined || server === undefined || ports === undefined || line.startsWith("#")) continue;
    for (const item of ports.split(",")) {
      const [, port, protocol, packets] = /^(\d+)p(\d+)-(\d+)$/.exec(item.trim()) ?? [];
      if (port === undefined) continue;
      const startUs = hour * HOUR_US;
      windows.push({
        client,
        server,
        protocol: Number(protocol),
        serverPort: FIRST_PORT + Number(port),
        scope: "",
        windowStartUs: startUs,
        windowUs: HOUR_US,
        flows: { answered: 1, refused: 0, unanswered: 0, midstream: 0 },
        clientPackets: Number(packets),
        serverPackets: Number(packets),
        clientBytes: 0,
        serverBytes: 0,
        firstSeenUs: startUs,
        lastSeenUs: startUs + HOUR_US - 1,
        isDirectionCertain: true,
        observers: ["data"],
        names: [],
        clientIdentity: { kind: "workload", id: client },
        serverIdentity: { kind: "workload", id: server },
      });
    }
  }
  return windows;
}

function edgeFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => EDGE_FILE.test(path.slice(path.lastIndexOf("/") + 1)) && path.includes("includes_packets"))
    .sort()
    .map((path) => join(folder, path));
}

/** The network in `folder`, or `undefined` if it holds no hourly files. */
export function readHourlyNetwork(name: string, folder: string): HourlyNetwork | undefined {
  if (!existsSync(folder)) return undefined;
  const files = edgeFiles(folder);
  if (files.length === 0) return undefined;
  const windows = files.flatMap((file, hour) => windowsOf(readText(file), hour));
  const nodes = [...new Set(windows.flatMap(({ client, server }) => [client, server]))].sort();
  const workloads = nodes.map((id) => ({ id, namespace: name, name: id, kind: "Host", labels: {}, addresses: [] }));
  const truth = join(folder, "groupings.gt.txt");
  const groups = !existsSync(truth)
    ? []
    : readText(truth)
        .split("\n")
        .filter((line) => line.trim() !== "" && !line.startsWith("#"))
        .map((line) => line.split(/[,\s]+/).filter((node) => node !== ""));
  return { name, windows, inventory: { ...EMPTY_INVENTORY, workloads }, hours: files.length, groups };
}
