import { appendFileSync } from "node:fs";

/** Notes in the lab's log that this workload's call of another one succeeded. Four tab-separated words a line. */
export function noteSuccess(server: string, protocol: string, port: number): void {
  const { LAB_EVIDENCE: file, LAB_WORKLOAD: client } = process.env;
  if (file === undefined || client === undefined) {
    throw new Error('Cannot note a success: wanted the environment variables "LAB_EVIDENCE" and "LAB_WORKLOAD"');
  }
  appendFileSync(file, `${client}\t${server}\t${protocol}\t${port}\n`);
}
