import { join } from "node:path";
import { type Bench, figure } from "./bench.js";
import { generateCapture, USUAL_TRAFFIC } from "./generate-capture.js";

/** How fast the input of the other benches is made; so that nobody waits for it unknowingly. */
export const generatorBench: Bench = {
  name: "generator",
  about: "making the captures that the other benches read",
  async run({ isQuick, folder }) {
    const packets = isQuick ? 100_000 : 1_000_000;
    const started = performance.now();
    const made = generateCapture(join(folder, "generator.pcap"), { ...USUAL_TRAFFIC, packets });
    const seconds = (performance.now() - started) / 1000;
    return [
      {
        title: "Made-up traffic -> capture file",
        columns: ["packets", "flows", "wall s", "Mpkt/s"],
        rows: [[String(packets), String(made.flows), figure(seconds), figure(packets / seconds / 1e6)]],
        notes: ["One run, in this process."],
      },
    ];
  },
};
