import type { DuckDBConnection } from "@duckdb/node-api";
import { HOUR_US, windowStart } from "../../model/time-window.js";

/** `unknown`: the source cannot count its drops. `late`: counted, but no more compared with other collectors. A merge adds `closed-twice`. */
type LossKind = "dropped" | "unknown" | "malformed" | "late";

/** What one batch tells of packets or records that were not seen, or that we could not take. */
interface BatchLoss {
  readonly collector: number;
  readonly kind: LossKind;
  readonly lost: number;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly stream: number;
  readonly sequence: number;
}

/** Losses of one write. They are kept by batch, so that a batch which two stores took is not counted twice by a merge. */
export class Losses {
  private readonly rows: BatchLoss[] = [];

  add(loss: BatchLoss): void {
    this.rows.push(loss);
  }

  /** Within the caller's transaction. */
  async write(connection: DuckDBConnection): Promise<void> {
    if (this.rows.length === 0) return;
    const appender = await connection.createAppender("losses");
    try {
      for (const { collector, kind, lost, fromUs, untilUs, stream, sequence } of this.rows) {
        appender.appendUInteger(collector);
        appender.appendDouble(windowStart(untilUs, HOUR_US));
        appender.appendVarchar(kind);
        appender.appendDouble(lost);
        appender.appendDouble(fromUs);
        appender.appendDouble(untilUs);
        appender.appendUInteger(stream);
        appender.appendUInteger(sequence);
        appender.endRow();
      }
    } finally {
      appender.closeSync();
    }
  }
}

/** Losses of hours before `boundUs` are summed up by hour. Within the caller's transaction. */
export async function compactLosses(connection: DuckDBConnection, boundUs: number): Promise<void> {
  const bound = { bound: boundUs };
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE hourly_loss AS
     SELECT collector, hour_us, kind, sum(lost) AS lost, min(from_us) AS from_us, max(until_us) AS until_us
     FROM losses WHERE hour_us < $bound GROUP BY collector, hour_us, kind`,
    bound,
  );
  await connection.run("DELETE FROM losses WHERE hour_us < $bound", bound);
  await connection.run("INSERT INTO losses SELECT *, NULL, NULL FROM hourly_loss");
  await connection.run("DROP TABLE hourly_loss");
}
