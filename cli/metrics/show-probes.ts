import type { Condition, Probes } from "../../web/api/probes.js";
import { VERSION } from "../version.js";
import type { Measured } from "./family.js";
import type { MetricsOptions } from "./metrics-options.js";
import { metricsRegistry } from "./registry.js";
import { serveProbes } from "./serve-probes.js";
import { writeMetricsFile } from "./write-metrics-file.js";

/** What a process of this name tells of itself. */
export function probesOf(
  process: "run" | "collect" | "analyzer" | "enforce",
  conditions: () => readonly Condition[],
  parts: readonly Measured[],
): Probes {
  const registry = metricsRegistry(process, VERSION, parts);
  return {
    version: VERSION,
    conditions,
    metrics: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

/** Shows the probes in the ways that were asked for, until closed. @throws {Error} If a port or file cannot be used. */
export async function showProbes(
  probes: Probes,
  { metricsListen, metricsFile }: MetricsOptions,
  onError: (error: unknown) => void,
): Promise<{ readonly address: string | undefined; close(): Promise<void> }> {
  const served = metricsListen === undefined ? undefined : await serveProbes(probes, metricsListen);
  try {
    const written = metricsFile === undefined ? undefined : await writeMetricsFile(probes, metricsFile, onError);
    return {
      address: served?.address,
      async close() {
        await Promise.all([served?.close(), written?.close()]);
      },
    };
  } catch (error) {
    await served?.close();
    throw error;
  }
}
