import { appendColumns } from "./columns.js";
import type { Database, SensorTotals } from "./database.js";
import { FLOW_KINDS, FlowRows } from "./flow-rows.js";
import type { AppendReport, Intake } from "./intake.js";
import { deleteOf, writeAnnounced, writeLedger } from "./ledger-rows.js";
import { Losses } from "./losses.js";
import { NAME_KINDS } from "./name-rows.js";
import { storeErrorOf } from "./store-error.js";

/**
 * Takes each batch that was not taken before, and the positions that come with them: all of it or nothing.
 * @throws {StoreError} When the disk is full or the database fails; nothing of the call is stored then, and the
 * memory must be read again by `Database.load`.
 */
export async function append(database: Database, intake: Intake): Promise<AppendReport> {
  try {
    return await database.transaction(() => appendWithin(database, intake));
  } catch (cause) {
    throw storeErrorOf("write to", database.options.path, cause);
  }
}

async function appendWithin(database: Database, intake: Intake): Promise<AppendReport> {
  const { connection, ledger, collectors, scopes, names, identityIndex } = database;
  const { batches } = intake;
  const nameRows = database.rememberedNames();
  const storedNames = nameRows.rows;
  const storedStreams = ledger.all().length;
  const rows = new FlowRows(
    {
      scopes,
      names,
      identityIndex,
      nameRows,
      addressNumber: (family, bytes, offset) => database.addressNumber(family, bytes, offset),
    },
    ++database.appendNo,
    batches.reduce((sum, batch) => sum + batch.length, 0),
    database.spareMemory,
  );
  database.spareMemory = undefined;
  const losses = new Losses();
  const touched = new Set<number>();
  let taken = 0;
  let malformed = 0;
  for (const batch of batches) {
    if (ledger.has(batch.origin)) continue;
    taken++;
    const collector = collectors.numberOf(batch.origin.collector);
    const { sequence } = batch.origin;
    const stream = ledger.streamOf(batch.origin).id;
    touched.add(collector);
    const firstRow = rows.rows;
    const added = rows.add(batch, collector, stream);
    malformed += added.malformed;
    ledger.take(batch.origin, added.untilUs);
    const totals = totalsOf(database, collector);
    totals.batches++;
    totals.flows += added.flows;
    if (added.flows > 0) {
      totals.firstUs = Number.isNaN(totals.firstUs) ? added.fromUs : Math.min(totals.firstUs, added.fromUs);
      totals.lastUs = Number.isNaN(totals.lastUs) ? added.untilUs : Math.max(totals.lastUs, added.untilUs);
    }
    database.sensors.set(collector, totals);
    const fromUs = added.flows > 0 ? added.fromUs : Number.isNaN(totals.lastUs) ? 0 : totals.lastUs;
    const untilUs = added.flows > 0 ? added.untilUs : fromUs;
    const loss = { collector, stream, sequence, fromUs, untilUs };
    const { dropped } = batch.loss;
    if (dropped === "unknown") losses.add({ ...loss, kind: "unknown", lost: 0 });
    else if (dropped > 0) losses.add({ ...loss, kind: "dropped", lost: dropped });
    if (added.malformed > 0) losses.add({ ...loss, kind: "malformed", lost: added.malformed });
    const { sealedBeforeUs } = database;
    const late = added.fromUs < sealedBeforeUs ? rows.countBefore(firstRow, sealedBeforeUs) : 0;
    if (late > 0) losses.add({ ...loss, kind: "late", lost: late, untilUs: Math.min(untilUs, sealedBeforeUs) });
  }

  const announced = (intake.announced ?? []).flatMap(({ collector, boot, bucket, ...loss }) => {
    const number = collectors.numberOf(collector);
    // It may be the first word of this collector: that it lost all it had.
    database.sensors.set(number, totalsOf(database, number));
    touched.add(number);
    const origin = { collector, boot, bucket };
    return ledger.lose(origin, loss) ? [{ ...loss, stream: ledger.streamOf(origin).id }] : [];
  });

  await database.writeDictionaries();
  await appendColumns(connection, "flows", FLOW_KINDS, rows.columns, rows.rows);
  const newNames = nameRows.rows - storedNames;
  await appendColumns(connection, "server_names", NAME_KINDS, nameRows.columns(storedNames), newNames);
  await writeSensors(database, [...touched]);
  await writeLedger(connection, ledger, storedStreams, collectors);
  await writeAnnounced(connection, announced);
  await losses.write(connection);
  for (const lost of intake.lost ?? []) await database.positions.lose(connection, lost);
  await database.positions.write(connection, intake.positions ?? []);
  database.spareMemory = rows.memory();
  for (const hour of rows.hours) database.dirtyHours.add(hour);
  database.storedFlows += rows.rows;
  return { batches: taken, duplicates: batches.length - taken, flows: rows.rows, malformed };
}

function totalsOf(database: Database, collector: number): SensorTotals {
  return database.sensors.get(collector) ?? { firstUs: Number.NaN, lastUs: Number.NaN, batches: 0, flows: 0 };
}

/** Writes the totals of some collectors anew, within the caller's transaction. */
export async function writeSensors(database: Database, collectors: readonly number[]): Promise<void> {
  if (collectors.length === 0) return;
  const totals = collectors.map((collector) => database.sensors.get(collector) as SensorTotals);
  await deleteOf(database.connection, "sensors", "collector", collectors);
  await appendColumns(
    database.connection,
    "sensors",
    ["u32", "f64", "f64", "f64", "f64"],
    [
      Uint32Array.from(collectors),
      Float64Array.from(totals, ({ firstUs }) => firstUs),
      Float64Array.from(totals, ({ lastUs }) => lastUs),
      Float64Array.from(totals, ({ batches }) => batches),
      Float64Array.from(totals, ({ flows }) => flows),
    ],
    collectors.length,
  );
}
