import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AnalyzerProcess } from "../test/cli/analyzer-process.js";
import { startBroker, type TestBroker } from "../test/stream/kafka-broker.js";
import { type Bench, figure } from "./bench.js";
import { generateCapture, USUAL_TRAFFIC } from "./generate-capture.js";

const SENDER = fileURLToPath(new URL("./send-flows.js", import.meta.url));
const FLOWS_BAR = 300_000;
const LAG_BAR_S = 3;
const WIRE_BAR = 32;

interface Sender {
  readonly flows: number;
  start(): void;
  readonly done: Promise<{ readonly seconds: number; readonly cpuSeconds: number }>;
}

async function prepareSender(args: readonly string[]): Promise<Sender> {
  const child = spawn(process.execPath, [SENDER, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (word: string) => {
    const { value = "" } = await lines.next();
    const [said, ...numbers] = String(value).split(" ");
    if (said !== word) throw new Error(`Cannot go on with the sender: it said "${value}", wanted "${word}"`);
    return numbers.map(Number);
  };
  const [flows = 0] = await next("ready");
  return {
    flows,
    start: () => child.stdin.write("go\n"),
    done: next("sent").then(([seconds = 0, cpuSeconds = 0]) => ({ seconds, cpuSeconds })),
  };
}

/** Bytes of the flows as they lie in the broker's log, which is as they were sent. */
function loggedBytes(folder: string, prefix: string): number {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.includes(`${prefix}portolan.flows-`) && name.endsWith(".log"))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

interface Run {
  readonly flows: number;
  readonly seconds: number; // from the first message sent to the last row committed
  readonly lagsS: readonly number[]; // of each write that was seen, its oldest message
  readonly bytesPerFlow: number;
  readonly analyzerCpu: number; // seconds
  readonly senderCpu: number;
}

async function runOnce(broker: TestBroker, capture: string, folder: string, flows: number, rate: number): Promise<Run> {
  const prefix = `r${flows}-${rate}.`;
  const store = join(folder, `${prefix}duckdb`);
  const sender = await prepareSender([capture, broker.bootstrap, prefix, String(flows), String(rate)]);
  const analyzer = new AnalyzerProcess(["--kafka", broker.bootstrap, "--kafka-prefix", prefix, "--store", store]);
  await analyzer.says(/explorer/);
  const cpuBefore = await analyzer.metric("process_cpu_seconds_total");
  const startMs = performance.now();
  sender.start();
  const lagsS: number[] = [];
  let writes = 0;
  for (let stored = 0; stored < sender.flows; ) {
    await wait(40);
    const figures = await analyzer.metrics();
    stored = figures.get("portolan_analyzer_flows_total") ?? 0;
    const now = figures.get("portolan_analyzer_writes_total") ?? 0;
    if (now > writes) lagsS.push(figures.get("portolan_analyzer_lag_seconds") ?? 0);
    writes = now;
  }
  const seconds = (performance.now() - startMs) / 1000;
  const analyzerCpu = (await analyzer.metric("process_cpu_seconds_total")) - cpuBefore;
  const { cpuSeconds: senderCpu } = await sender.done;
  await analyzer.stop();
  const bytesPerFlow = loggedBytes(broker.folder, prefix) / sender.flows;
  return { flows: sender.flows, seconds, lagsS, bytesPerFlow, analyzerCpu, senderCpu };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const pipelineBench: Bench = {
  name: "pipeline",
  about: "collectors' batches through a real Kafka broker into a committed DuckDB store",
  async run({ isQuick, folder, say }) {
    const capture = join(folder, "pipeline.pcap");
    say("making a capture");
    generateCapture(capture, { ...USUAL_TRAFFIC, packets: isQuick ? 100_000 : 1_000_000 });
    say("starting a broker");
    const broker = await startBroker();
    try {
      say("as fast as it goes");
      const fast = await runOnce(broker, capture, folder, isQuick ? 200_000 : 6_000_000, 0);
      const rate = isQuick ? 50_000 : FLOWS_BAR / 2;
      say(`at ${rate} flows a second`);
      const paced = await runOnce(broker, capture, folder, rate * (isQuick ? 4 : 30), rate);
      const perMillion = (cpu: number, { flows }: Run) => figure((cpu / flows) * 1e6);
      return [
        {
          title: "Sender, broker and analyzer on this machine, to the commit of the last row",
          columns: ["", "figure", "bar"],
          rows: [
            [`${fast.flows} flows, flows/s`, (fast.flows / fast.seconds).toFixed(0), `>= ${FLOWS_BAR}`],
            ["bytes a flow on the wire", figure(fast.bytesPerFlow, 1), `<= ${WIRE_BAR}`],
            ["analyzer CPU, s per million flows", perMillion(fast.analyzerCpu, fast), "-"],
            ["sender CPU, s per million flows", perMillion(fast.senderCpu, fast), "-"],
            [`lag at ${rate} flows/s, median s`, figure(quantile(paced.lagsS, 0.5)), "-"],
            [`lag at ${rate} flows/s, p99 s`, figure(quantile(paced.lagsS, 0.99)), `< ${LAG_BAR_S}`],
          ],
          notes: [
            "Lag: from the sender's clock in the oldest message of a write to the commit of its rows; quantiles over writes.",
            "The sender makes its batches before the clock starts. `codec` shows what that costs.",
          ],
        },
      ];
    } finally {
      await broker.stop();
    }
  },
};
