import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bench, figure } from "./bench.js";
import { generateCapture, USUAL_TRAFFIC } from "./generate-capture.js";
import { type Cost, hasTcpdump, isPinned, measureInTurns } from "./measure.js";

const READ_FLOWS = fileURLToPath(new URL("./read-flows.js", import.meta.url));
const CHART_GRAPH = fileURLToPath(new URL("./chart-graph.js", import.meta.url));

/** What both of our commands print. */
interface Told {
  readonly packets: number;
  readonly flows: number;
}

/** From a capture file to flow records and to the graph in DuckDB, beside the time that libpcap takes to read the file. */
export const captureBench: Bench = {
  name: "capture",
  about: "capture file -> flow records and -> DuckDB graph, beside tcpdump's reading time",
  async run({ isQuick, folder, say }) {
    const path = join(folder, "capture.pcap");
    const packets = isQuick ? 200_000 : 5_000_000;
    say(`making ${packets} packets`);
    const made = generateCapture(path, { ...USUAL_TRAFFIC, packets });
    const runs = isQuick ? 1 : 5;
    say(`measuring, ${runs} run(s) of each`);
    const commands = [
      { name: "portolan: flow records", command: [process.execPath, READ_FLOWS, path], isOurs: true },
      {
        name: "portolan: edges in a DuckDB file",
        command: [process.execPath, CHART_GRAPH, path, join(folder, "capture.duckdb")],
        isOurs: true,
      },
      {
        name: "portolan: the same, conversations read back",
        command: [process.execPath, CHART_GRAPH, path, join(folder, "capture.duckdb"), "conversations"],
        isOurs: true,
      },
      ...(hasTcpdump
        ? [{ name: "tcpdump --count: reading alone", command: ["tcpdump", "-nr", path, "--count"], isOurs: false }]
        : []),
    ];
    const costs = await measureInTurns(
      commands.map(({ command }) => command),
      runs,
    );
    let flows = 0;
    for (const [i, { name, isOurs }] of commands.entries()) {
      if (!isOurs) continue;
      const told = JSON.parse((costs[i] as Cost).output) as Told;
      if (told.packets !== made.packets) {
        throw new Error(`Cannot trust "${name}": it told of ${told.packets} packets, ${made.packets} were made`);
      }
      flows = told.flows;
    }
    const size = `${packets} packets, ${flows} flows, ${figure(statSync(path).size / 1e6, 0)} MB`;
    return [
      {
        title: `Capture file -> graph: ${size}`,
        columns: ["", "CPU s", "wall s", "Mpkt/s", "peak MiB"],
        rows: [
          ...commands.map(({ name }, i) => {
            const { cpuSeconds, wallSeconds, peakMiB } = costs[i] as Cost;
            const speed = figure(packets / wallSeconds / 1e6);
            return [name, figure(cpuSeconds), figure(wallSeconds), speed, figure(peakMiB, 0)];
          }),
          ["limit: edges in a DuckDB file", "", "", ">= 1.00", ""],
        ],
        notes: [
          `Medians of ${runs} run(s) taken in turns, ${isPinned ? "each held to one core" : "not held to one core"}, file in the page cache.`,
          "Edges are grouped by DuckDB per client, server and service. Conversations, one object for each edge and minute, are what",
          "discovery and the explorer's answers are made from.",
          ...(hasTcpdump ? [] : ["tcpdump is not installed: no peer beside ours."]),
        ],
      },
    ];
  },
};
