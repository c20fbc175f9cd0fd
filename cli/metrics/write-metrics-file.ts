import { chmod, rename, rm, writeFile } from "node:fs/promises";
import type { Probes } from "../../web/api/probes.js";

const EVERY_MS = 15_000;

/**
 * Writes the metrics to a file again and again, for processes that open no port: a reader sees the old text or the new,
 * never half of one. The file goes when the process ends, so that nobody takes its last figures for today's.
 */
export async function writeMetricsFile(
  probes: Probes,
  path: string,
  onError: (error: unknown) => void,
): Promise<{ close(): Promise<void> }> {
  const half = `${path}.${process.pid}.tmp`; // beside it: a rename does not cross file systems, and *.prom is read
  let writing = Promise.resolve();
  const write = async () => {
    const { text } = await probes.metrics();
    await writeFile(half, text);
    await chmod(half, 0o644); // the exporter is another user
    await rename(half, path);
  };
  await write();
  const timer = setInterval(() => {
    writing = writing.then(write).catch(onError);
  }, EVERY_MS);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await writing;
      await rm(path, { force: true });
    },
  };
}
