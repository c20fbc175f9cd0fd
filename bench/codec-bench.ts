import { join } from "node:path";
import { readCaptures } from "../collector/read-captures.js";
import type { FlowBatch } from "../model/flow-batch.js";
import { decodeFlowBatch, encodeFlowBatch } from "../model/flow-batch-codec.js";
import { CODEC_NUMBERS, compress, decompress, writableCompression } from "../stream/kafka/compression.js";
import { COMPRESSIONS } from "../stream/kafka/compression-names.js";
import { type Bench, figure } from "./bench.js";
import { generateCapture, USUAL_TRAFFIC } from "./generate-capture.js";
import { median } from "./measure.js";
import { seededRandom } from "./random.js";

/** The bar of the house, and the best of the general formats that were measured on records like these. */
const ENCODE_BAR = "2.00";
const WIRE_BAR = "32.0";

/** Full batches of made-up traffic. The generator starts flows at even times, which no real traffic does. */
export async function fullBatches(path: string): Promise<FlowBatch[]> {
  const reading = readCaptures([path]);
  const random = seededRandom(1);
  const found: FlowBatch[] = [];
  for (let step = await reading.next(); step.done !== true; step = await reading.next()) {
    const batch = step.value;
    if (batch.length < 1000) continue;
    let time = batch.startUs[0] as number;
    const startUs = batch.startUs.map(() => {
      time += Math.floor(-500 * Math.log(1 - random()));
      return time;
    });
    const endUs = startUs.map((start, i) => start + ((batch.endUs[i] as number) - (batch.startUs[i] as number)));
    found.push({ ...batch, startUs, endUs });
  }
  return found;
}

/** Million rows a second of CPU time, median of `runs`. */
function speed(rows: number, runs: number, work: () => void): number {
  work();
  return median(
    Array.from({ length: runs }, () => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return rows / (user + system);
    }),
  );
}

export const codecBench: Bench = {
  name: "codec",
  about: "flow batches to bytes and back, and what compression makes of them",
  async run({ isQuick, folder, say }) {
    const path = join(folder, "codec.pcap");
    say("making a capture");
    generateCapture(path, { ...USUAL_TRAFFIC, packets: isQuick ? 50_000 : 1_000_000 });
    const all = await fullBatches(path);
    const runs = isQuick ? 3 : 15;
    const rows = all.reduce((sum, { length }) => sum + length, 0);
    const encoded = all.map((batch) => Buffer.from(encodeFlowBatch(batch)));
    const perRow = (buffers: readonly Uint8Array[]) => buffers.reduce((sum, { length }) => sum + length, 0) / rows;
    const encoding = speed(rows, runs, () => all.forEach(encodeFlowBatch));
    const decoding = speed(rows, runs, () => encoded.forEach(decodeFlowBatch));
    const codecs = COMPRESSIONS.filter((codec) => codec !== "none" && writableCompression(codec) === codec);
    return [
      {
        title: `Flow batches of 1000 as Arrow IPC, ${rows} flows`,
        columns: ["codec alone", "M flows/s", "bar", "B/flow", "bar"],
        rows: [
          ["encode", figure(encoding), ENCODE_BAR, figure(perRow(encoded), 1), "60.0"],
          ["decode and check", figure(decoding), "-", "", ""],
        ],
        notes: [
          "Of CPU time in one thread, median. Notes of other formats: JSON 0.6-1.7 M/s, msgpack 0.4, protobuf 1.0-1.5.",
        ],
      },
      {
        title: "Compressed for the wire",
        columns: ["codec", "write M flows/s", "read M flows/s", "B/flow", "bar"],
        rows: codecs.map((codec) => {
          const compressed = encoded.map((bytes) => compress(codec, bytes));
          return [
            codec,
            figure(speed(rows, runs, () => encoded.forEach((bytes) => compress(codec, bytes)))),
            figure(
              speed(rows, runs, () => compressed.forEach((bytes) => decompress(CODEC_NUMBERS[codec], bytes, 2 ** 24))),
            ),
            figure(perRow(compressed), 1),
            WIRE_BAR,
          ];
        }),
        notes: ["One message alone; what travels together compresses together, so a busy collector needs less."],
      },
    ];
  },
};
