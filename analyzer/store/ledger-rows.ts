import type { DuckDBConnection } from "@duckdb/node-api";
import type { AnnouncedLoss, BatchLedger } from "./batch-ledger.js";
import { appendColumns } from "./columns.js";
import type { Dictionary } from "./dictionary.js";
import { LIST, listValue, UINTEGER } from "./duckdb.js";

/** The tables `streams` and `sequences`, which hold a ledger. */
export async function readLedger(
  connection: DuckDBConnection,
  ledger: BatchLedger,
  collectors: Dictionary,
): Promise<void> {
  const streams = await connection.runAndReadAll("SELECT id, collector, boot, bucket FROM streams ORDER BY id");
  const origins = streams.getRowsJS().map(([, collector, boot, bucket]) => ({
    collector: collectors.texts[Number(collector)] as string,
    boot: String(boot),
    bucket: Number(bucket),
  }));
  for (const origin of origins) ledger.streamOf(origin);
  const ranges = await connection.runAndReadAll(
    "SELECT stream, first_sequence, last_sequence, first_us, last_us FROM sequences ORDER BY stream, first_sequence",
  );
  for (const [stream, first, last, firstUs, lastUs] of ranges.getRowsJS()) {
    const range = { first: Number(first), last: Number(last), firstUs: Number(firstUs), lastUs: Number(lastUs) };
    ledger.takeRange(origins[Number(stream)] as (typeof origins)[number], range);
  }
  const losses = await connection.runAndReadAll(
    "SELECT stream, first_sequence, last_sequence, flows, from_us, until_us, reason FROM lost_batches",
  );
  for (const [stream, first, last, flows, fromUs, untilUs, reason] of losses.getRowsJS()) {
    ledger.lose(origins[Number(stream)] as (typeof origins)[number], {
      first: Number(first),
      last: Number(last),
      flows: Number(flows),
      fromUs: Number(fromUs),
      untilUs: Number(untilUs),
      reason: String(reason),
    });
  }
  ledger.drainChanged();
}

/** Writes losses that are news, inside the caller's transaction, after the streams they are of. */
export async function writeAnnounced(
  connection: DuckDBConnection,
  losses: readonly (AnnouncedLoss & { readonly stream: number })[],
): Promise<void> {
  if (losses.length === 0) return;
  const appender = await connection.createAppender("lost_batches");
  try {
    for (const { stream, first, last, flows, fromUs, untilUs, reason } of losses) {
      appender.appendUInteger(stream);
      for (const value of [first, last, flows, fromUs, untilUs]) appender.appendDouble(value);
      appender.appendVarchar(reason);
      appender.endRow();
    }
  } finally {
    appender.closeSync();
  }
}

/** Deletes the rows whose `column` is one of `numbers`. */
export async function deleteOf(
  connection: DuckDBConnection,
  table: "sequences" | "sensors",
  column: "stream" | "collector",
  numbers: readonly number[],
): Promise<void> {
  const sql = `DELETE FROM ${table} WHERE ${column} IN (SELECT unnest($1))`;
  await connection.run(sql, [listValue([...numbers])], [LIST(UINTEGER)]);
}

/** Writes what changed since the last call, inside the caller's transaction; `storedStreams` are there already. */
export async function writeLedger(
  connection: DuckDBConnection,
  ledger: BatchLedger,
  storedStreams: number,
  collectors: Dictionary,
): Promise<void> {
  const changed = ledger.drainChanged();
  const fresh = ledger.all().slice(storedStreams);
  if (fresh.length > 0) {
    const appender = await connection.createAppender("streams");
    try {
      for (const { id, collector, boot, bucket } of fresh) {
        appender.appendUInteger(id);
        appender.appendUInteger(collectors.numberOf(collector));
        appender.appendVarchar(boot);
        appender.appendUInteger(bucket);
        appender.endRow();
      }
    } finally {
      appender.closeSync();
    }
  }
  const old = changed.filter(({ id }) => id < storedStreams).map(({ id }) => id);
  if (old.length > 0) await deleteOf(connection, "sequences", "stream", old);
  const rows = changed.flatMap(({ id, ranges }) => ranges.map((range) => ({ id, ...range })));
  await appendColumns(
    connection,
    "sequences",
    ["u32", "f64", "f64", "f64", "f64"],
    [
      Uint32Array.from(rows, ({ id }) => id),
      Float64Array.from(rows, ({ first }) => first),
      Float64Array.from(rows, ({ last }) => last),
      Float64Array.from(rows, ({ firstUs }) => firstUs),
      Float64Array.from(rows, ({ lastUs }) => lastUs),
    ],
    rows.length,
  );
}
