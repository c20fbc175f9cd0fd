import { execFile } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Bench, type BenchTable, figure } from "./bench.js";
import { hasTcpdump, measure } from "./measure.js";
import { makeNamespacePair, type NamespacePair } from "./namespace-pair.js";

const COLLECT = fileURLToPath(new URL("./collect-live.js", import.meta.url));
const SEND = fileURLToPath(new URL("./send-datagrams.js", import.meta.url));
const run = promisify(execFile);

const PORT = 9999;
const START_SECONDS = 3; // for the collector to begin, and for what it starts with to be over
const END_SECONDS = 2;
const MEANINGFUL_PACKETS = 50_000; // with fewer, the start of the processes drowns the cost of the packets

interface Offered {
  readonly sent: number;
  readonly seconds: number;
}

interface Collected {
  readonly program: string;
  readonly datagrams: number;
  readonly lost: number | "unknown";
}

async function offer(pair: NamespacePair, rate: number, seconds: number): Promise<Offered> {
  const args = [
    "netns",
    "exec",
    pair.left,
    process.execPath,
    SEND,
    pair.rightAddress,
    String(PORT),
    `${rate}`,
    `${seconds}`,
  ];
  return JSON.parse((await run("ip", args)).stdout) as Offered;
}

/** A row: what was offered, what of it was counted, and the CPU that it took beyond that of doing nothing. */
async function measureCollector(
  pair: NamespacePair,
  rate: number,
  seconds: number,
  environment: readonly string[],
): Promise<string[]> {
  const total = START_SECONDS + seconds + END_SECONDS;
  const inRight = ["ip", "netns", "exec", pair.right, ...environment];
  const command = [...inRight, process.execPath, COLLECT, pair.rightInterface, String(total)];
  const idle = await measure(command, { allCores: true });
  const measured = measure(command, { allCores: true });
  await wait(START_SECONDS * 1000);
  const { sent, seconds: took } = await offer(pair, rate, seconds);
  const { cpuSeconds, output } = await measured;
  const { program, datagrams, lost } = JSON.parse(output) as Collected;
  const perPacketUs = ((cpuSeconds - idle.cpuSeconds) / sent) * 1e6;
  const missed = figure(((sent - datagrams) / sent) * 100, 3);
  return [
    `portolan through ${program}`,
    figure(sent / took / 1000, 0),
    String(sent),
    `${missed} %`,
    String(lost),
    sent < MEANINGFUL_PACKETS ? "-" : figure(perPacketUs),
  ];
}

/** Live capture between two network namespaces: what is lost, what is known to be lost, and what it costs. */
export const liveBench: Bench = {
  name: "live",
  about: "live interface -> flow records: loss and CPU a packet (wants root)",
  async run({ isQuick, say }): Promise<readonly BenchTable[]> {
    const columns = ["", "offered kpps", "sent", "missed", "told lost", "CPU us/packet"];
    const title = "Live capture of UDP datagrams of 440 bytes, two network namespaces";
    if (process.getuid?.() !== 0 || !hasTcpdump) {
      return [{ title, columns, rows: [], notes: ["Not measured: it wants root, the ip command and tcpdump."] }];
    }
    const pair = makeNamespacePair();
    try {
      const rows: string[][] = [];
      for (const rate of isQuick ? [5000] : [20_000, 50_000, 100_000]) {
        for (const environment of [[], ["env", "PATH=/nonexistent"]]) {
          say(`offering ${rate} packets a second ${environment.length === 0 ? "to tcpdump" : "to cap"}`);
          rows.push(await measureCollector(pair, rate, isQuick ? 1 : 5, environment));
        }
      }
      rows.push(["limit: tcpdump, up to 400 kpps", "", "", "0 %", "", "<= 1.20"]);
      rows.push(["limit: cap, up to 50 kpps", "", "", "0 %", "", "<= 2.50"]);
      const notes = [
        "One run of each. The sender, the kernel and the collector share the machine's cores: a rate that is not reached is the",
        "sender's. CPU is that of all processes of the collector, less what it takes without traffic.",
      ];
      return [{ title, columns, rows, notes }];
    } finally {
      pair.remove();
    }
  },
};
