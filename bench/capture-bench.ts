import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bench, figure } from "./bench.js";
import { generateCapture, USUAL_TRAFFIC } from "./generate-capture.js";
import { hasTcpdump, isPinned, measureInTurns } from "./measure.js";

const READ_FLOWS = fileURLToPath(new URL("./read-flows.js", import.meta.url));

/** Flow records of a capture file, beside the time that libpcap takes to read it without looking into it. */
export const captureBench: Bench = {
  name: "capture",
  about: "capture file -> flow records, beside tcpdump's reading time",
  async run({ isQuick, folder, say }) {
    const path = join(folder, "capture.pcap");
    const packets = isQuick ? 200_000 : 5_000_000;
    say(`making ${packets} packets`);
    const made = generateCapture(path, { ...USUAL_TRAFFIC, packets });
    const runs = isQuick ? 3 : 5;
    say(`measuring, ${runs} runs`);
    const ours = [process.execPath, READ_FLOWS, path];
    const peer = ["tcpdump", "-nr", path, "--count"];
    const [cost, peerCost] = await measureInTurns(hasTcpdump ? [ours, peer] : [ours], runs);
    if (cost === undefined) throw new Error("Cannot measure: no run was made");
    const told = JSON.parse(cost.output) as { packets: number; flows: number };
    if (told.packets !== made.packets) {
      throw new Error(`Cannot trust the figures: ${told.packets} packets were read of ${made.packets}`);
    }
    const row = (name: string, each: typeof cost) => [
      name,
      figure(each.cpuSeconds),
      figure(each.wallSeconds),
      figure(packets / each.wallSeconds / 1e6),
      figure(each.peakMiB, 0),
    ];
    return [
      {
        title: `Capture file -> flow records: ${packets} packets, ${told.flows} flows, ${(statSync(path).size / 1e6).toFixed(0)} MB`,
        columns: ["", "CPU s", "wall s", "Mpkt/s", "peak MiB"],
        rows: [
          row("portolan: flow records in batches", cost),
          ...(peerCost === undefined ? [] : [row("tcpdump --count: reading alone", peerCost)]),
          ["wanted, with DuckDB graph", "", "", ">= 1.00", ""],
        ],
        notes: [
          `Medians of ${runs} runs taken in turns, ${isPinned ? "each held to one core" : "not held to one core"}, file in the page cache.`,
          ...(peerCost === undefined ? ["tcpdump is not installed: no peer beside it."] : []),
        ],
      },
    ];
  },
};
