import { encodeVerdictReport, type VerdictReport } from "../model/verdict-report.js";
import type { StateFolder } from "./state-folder.js";

/** Takes a report for good, or rejects: then it is offered again. */
export type ReportSink = (bytes: Uint8Array) => Promise<void>;

const MOST_REPORTS = 10_000;

/**
 * Verdict reports on their way: on disk from the moment the kernel was read until somebody took them, in order. When
 * nobody does for long, the oldest are given up, and how many is told.
 */
export class ReportOutbox {
  readonly #names: string[];
  readonly #bytes = new Map<string, number>();
  #lost = 0;

  constructor(private readonly folder: StateFolder) {
    this.#names = folder.list("reports");
    for (const name of this.#names) this.#bytes.set(name, folder.read(`reports/${name}`)?.length ?? 0);
  }

  totals(): { waiting: number; bytes: number; lost: number } {
    const bytes = this.#names.reduce((sum, name) => sum + (this.#bytes.get(name) ?? 0), 0);
    return { waiting: this.#names.length, bytes, lost: this.#lost };
  }

  /** Puts it in under its number, which grows; what is there under it already is the same report. */
  put(number: number, report: VerdictReport): void {
    const name = `${String(number).padStart(15, "0")}.json`;
    const bytes = encodeVerdictReport(report);
    this.folder.write(`reports/${name}`, bytes);
    this.#bytes.set(name, bytes.length);
    if (!this.#names.includes(name)) this.#names.push(name);
    while (this.#names.length > MOST_REPORTS) {
      this.#forget(this.#names[0] as string);
      this.#lost++;
    }
  }

  /** Hands over what waits until the sink rejects. A crash in between hands one over twice: reports bear numbers. */
  async flush(sink: ReportSink): Promise<void> {
    for (let name = this.#names[0]; name !== undefined; name = this.#names[0]) {
      const bytes = this.folder.read(`reports/${name}`);
      if (bytes !== undefined) await sink(bytes);
      this.#forget(name);
    }
  }

  #forget(name: string): void {
    this.folder.remove(`reports/${name}`);
    this.#bytes.delete(name);
    if (this.#names[0] === name) this.#names.shift();
  }
}
