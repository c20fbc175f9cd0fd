import { type Command, InvalidArgumentError, Option } from "commander";
import { parseListen } from "../listen.js";
import type { ProbesListen } from "./serve-probes.js";

/** Reads `HOST:PORT`, or `unix:PATH` for a socket in the file system. */
export function parseProbesListen(text: string): ProbesListen {
  if (!text.startsWith("unix:")) return parseListen(text);
  const socket = text.slice("unix:".length);
  if (!socket.startsWith("/") || Buffer.byteLength(socket) > 107) {
    throw new InvalidArgumentError("wanted unix: and an absolute path of at most 107 bytes");
  }
  return { socket };
}

export interface MetricsOptions {
  readonly metricsListen?: ProbesListen;
  readonly metricsFile?: string;
}

/** Adds the ways in which a process without API shows its metrics and health. */
export function withMetricsOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--metrics-listen <host:port>",
        "serve /metrics, /healthz and /readyz there; unix:PATH for a socket (default: not served)",
      ).argParser(parseProbesListen),
    )
    .option("--metrics-file <file>", "write the metrics there every 15 s, for a node exporter's textfile collector");
}
