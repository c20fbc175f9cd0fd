import { existsSync, rmSync } from "node:fs";
import type { Inventory } from "../../model/workload.js";
import { writeSensors } from "./append.js";
import { reattribute } from "./attribution.js";
import type { SequenceStream } from "./batch-ledger.js";
import { appendColumns } from "./columns.js";
import { Database, type SensorTotals } from "./database.js";
import type { Dictionary, DictionaryTable } from "./dictionary.js";
import { heartbeatsOf, writeHeartbeats } from "./heartbeats.js";
import { writeAnnounced, writeLedger } from "./ledger-rows.js";
import { StoreError, storeErrorOf } from "./store-error.js";
import { USUAL_THREADS } from "./usual-threads.js";

export interface MergeOptions {
  readonly out: string; // a new file
  readonly sources: readonly string[];
  /** Without it the one that all stores have, or that has been in force in all of them. */
  readonly inventory?: Inventory | undefined;
  readonly memoryLimitMb?: number;
}

export interface MergeReport {
  readonly flows: number; // records, each batch once
  readonly batches: number;
  readonly duplicates: number; // batches that several stores had
  readonly collectors: number;
}

const DEFAULTS = { memoryLimitMb: 1024, threads: USUAL_THREADS, maxFlows: Number.MAX_SAFE_INTEGER };

/** What is told of a store by its dictionaries and its ledger; the rows are copied by the database itself. */
interface Source {
  readonly path: string;
  readonly database: Pick<Database, DictionaryTable | "ledger" | "sensors" | "sealedBeforeUs" | "inventory">;
  readonly inventories: readonly string[]; // newest first
  readonly heartbeats: Awaited<ReturnType<typeof heartbeatsOf>>;
}

async function readSource(path: string, options: MergeOptions): Promise<Source> {
  if (!existsSync(path)) throw new StoreError("not-a-store", `Cannot open store "${path}": there is no such file`);
  // Opening it as its owner does folds in the log of a process that was killed, and checks that it is a store.
  const database = await Database.open({ ...DEFAULTS, ...options, path });
  try {
    const rows = await database.rows("SELECT text FROM inventories ORDER BY version DESC");
    const inventories = rows.map(([text]) => String(text));
    return { path, database, inventories, heartbeats: await heartbeatsOf(database) };
  } finally {
    database.close();
  }
}

/** The inventory that was in force in every store at some time, which therefore is no older than any of theirs. */
function commonInventory(sources: readonly Source[]): Inventory | undefined {
  const known = sources.filter(({ inventories }) => inventories.length > 0);
  if (known.length === 0) return undefined;
  const newest = known.find((candidate) =>
    known.every(({ inventories: [current] }) => candidate.inventories.includes(current as string)),
  );
  if (newest !== undefined) return newest.database.inventory;
  const [a, b] = known.map(({ path }) => `"${path}"`);
  throw new StoreError(
    "conflict",
    `Cannot merge stores ${a} and ${b}: their inventories differ; wanted --inventory FILE`,
  );
}

/**
 * One new store that holds what several hold, as if one analyzer had read everything. A batch that several stores took, after
 * a partition moved between them, is taken once. Offsets are left out: who reads on with the merged store begins anew, and
 * its batches keep it from counting twice.
 * @throws {StoreError} Then there is no usable file at `out`.
 */
export async function mergeStores(options: MergeOptions): Promise<MergeReport> {
  const { out, sources } = options;
  if (existsSync(out))
    throw new StoreError("conflict", `Cannot merge into "${out}": wanted a file that is not there yet`);
  const read: Source[] = [];
  for (const path of sources) read.push(await readSource(path, options));
  const inventory = options.inventory ?? commonInventory(read);
  const database = await Database.open({ ...DEFAULTS, ...options, path: out });
  let isWhole = false;
  try {
    let duplicates = 0;
    for (const [i, source] of read.entries()) duplicates += await addSource(database, source, i + 1);
    if (inventory !== undefined) await reattribute(database, inventory, "all");
    const totals = [...database.sensors.values()];
    isWhole = true;
    const sum = (of: (totals: SensorTotals) => number) => totals.reduce((all, each) => all + of(each), 0);
    return {
      flows: sum(({ flows }) => flows),
      batches: sum(({ batches }) => batches),
      duplicates,
      collectors: totals.length,
    };
  } catch (cause) {
    throw storeErrorOf("merge into", out, cause);
  } finally {
    database.close();
    if (!isWhole) for (const file of [out, `${out}.wal`]) rmSync(file, { force: true });
  }
}

/** Numbers of the source's texts in the merged store, as the table `map_<name>` (old, new). */
async function writeMap(database: Database, name: string, numbers: readonly number[]): Promise<void> {
  await database.connection.run(
    `CREATE OR REPLACE TEMP TABLE map_${name} (old UINTEGER NOT NULL, new UINTEGER NOT NULL)`,
  );
  const old = Uint32Array.from(numbers, (_, i) => i);
  await appendColumns(
    database.connection,
    `map_${name}`,
    ["u32", "u32"],
    [old, Uint32Array.from(numbers)],
    numbers.length,
  );
}

const mapped = (name: string, column: string) => `(SELECT new FROM map_${name} WHERE old = source.${column})`;

/** Ranges that the merged store has of the streams of a source, by the source's numbers of them. */
function takenBefore(database: Database, streams: readonly SequenceStream[]) {
  return streams.flatMap((stream) =>
    database.ledger.streamOf(stream).ranges.map(({ first, last }) => ({ stream: stream.id, first, last })),
  );
}

const IS_TAKEN = `EXISTS (SELECT 1 FROM taken WHERE taken.stream = source.stream AND source.sequence BETWEEN taken.first AND taken.last)`;

/** @returns How many batches of the source were there already. */
async function addSource(database: Database, source: Source, appendNo: number): Promise<number> {
  const { connection, ledger } = database;
  const from = source.database;
  // ATTACH takes no parameters; the path is quoted as SQL quotes.
  await connection.run(`ATTACH '${source.path.replaceAll("'", "''")}' AS source_file (READ_ONLY)`);
  try {
    return await database.transaction(async () => {
      const storedStreams = ledger.all().length;
      for (const name of ["addresses", "identities", "scopes", "names", "collectors"] as const) {
        const into: Dictionary = database[name];
        await writeMap(
          database,
          name,
          from[name].texts.map((text) => into.numberOf(text)),
        );
      }
      const streams = from.ledger.all();
      const taken = takenBefore(database, streams);
      await writeMap(
        database,
        "streams",
        streams.map((stream) => ledger.streamOf(stream).id),
      );
      await connection.run("CREATE OR REPLACE TEMP TABLE taken (stream UINTEGER, first DOUBLE, last DOUBLE)");
      await appendColumns(
        connection,
        "taken",
        ["u32", "f64", "f64"],
        [
          Uint32Array.from(taken, ({ stream }) => stream),
          Float64Array.from(taken, ({ first }) => first),
          Float64Array.from(taken, ({ last }) => last),
        ],
        taken.length,
      );
      await database.writeDictionaries();
      const dropped = await copyRows(database, appendNo);
      await dropSealed(database, source, dropped);
      const duplicates = await takeLedger(database, source, storedStreams);
      await addSensors(database, source, dropped);
      await writeHeartbeats(database, newerOf(await heartbeatsOf(database), source.heartbeats));
      database.sealedBeforeUs = Math.max(database.sealedBeforeUs, from.sealedBeforeUs);
      await connection.run("DELETE FROM settings WHERE name = 'sealed_before_us'");
      if (Number.isFinite(database.sealedBeforeUs)) {
        await connection.run("INSERT INTO settings VALUES ('sealed_before_us', $1)", [database.sealedBeforeUs]);
      }
      return duplicates;
    });
  } finally {
    await connection.run("DETACH source_file");
  }
}

const WINDOW_KEY = `${mapped("addresses", "client")}, ${mapped("addresses", "responder")}, protocol, service, ${mapped("scopes", "scope_id")}`;

/** Copies all but what is taken. @returns The records left out, by the source's number of their collector. */
async function copyRows(database: Database, appendNo: number): Promise<Map<number, number>> {
  const { connection } = database;
  await connection.run(
    `INSERT INTO flows SELECT start_us, end_us, $1, ${mapped("collectors", "collector")}, tuple,
       ${mapped("addresses", "originator")}, ${mapped("addresses", "responder")},
       ${mapped("identities", "originator_identity")}, ${mapped("identities", "responder_identity")},
       protocol, originator_port, service, ${mapped("scopes", "scope_id")}, outcome, evidence,
       originator_packets, responder_packets, originator_bytes, responder_bytes, ${mapped("streams", "stream")}, sequence
     FROM source_file.flows AS source WHERE NOT ${IS_TAKEN}`,
    [appendNo],
  );
  await connection.run(
    `INSERT INTO windows SELECT window_us, ${WINDOW_KEY},
       ${mapped("identities", "client_identity")}, ${mapped("identities", "server_identity")},
       answered, refused, unanswered, midstream, client_packets, server_packets, client_bytes, server_bytes, first_us, last_us, is_certain,
       ${mapped("collectors", "observer_low")}, ${mapped("collectors", "observer_high")},
       sample_key, sample_client_bytes, sample_server_bytes, ${mapped("collectors", "sample_observer")}
     FROM source_file.windows AS source`,
  );
  await connection.run(
    `INSERT INTO window_observers
     SELECT window_us, ${WINDOW_KEY}, ${mapped("collectors", "collector")} FROM source_file.window_observers AS source`,
  );
  await connection.run(
    `INSERT INTO server_names SELECT DISTINCT hour_us, ${WINDOW_KEY}, ${mapped("names", "name_id")}
     FROM source_file.server_names AS source`,
  );
  await connection.run(
    `INSERT INTO losses SELECT ${mapped("collectors", "collector")}, hour_us, kind, lost, from_us, until_us,
       ${mapped("streams", "stream")}, sequence FROM source_file.losses AS source WHERE stream IS NULL OR NOT ${IS_TAKEN}`,
  );
  await connection.run(
    "INSERT INTO lost_messages SELECT * FROM source_file.lost_messages EXCEPT SELECT * FROM lost_messages",
  );
  const rows = await database.rows(
    `SELECT collector, count(*) FROM source_file.flows AS source WHERE ${IS_TAKEN} GROUP BY collector`,
  );
  return new Map(rows.map(([collector, count]) => [Number(collector), Number(count)]));
}

/**
 * A batch that both have, and whose hour the source has closed, is counted in the source's windows: its records go from
 * ours. What both had closed cannot be taken apart any more, and that is said.
 */
async function dropSealed(database: Database, source: Source, dropped: Map<number, number>): Promise<void> {
  const { sealedBeforeUs } = source.database;
  if (!Number.isFinite(sealedBeforeUs)) return;
  const { connection } = database;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE closed_there AS
     SELECT rowid AS id, collector FROM flows WHERE start_us < $1::BIGINT AND EXISTS (
       SELECT 1 FROM map_streams JOIN source_file.sequences AS theirs ON theirs.stream = map_streams.old
         JOIN taken ON taken.stream = map_streams.old
       WHERE map_streams.new = flows.stream AND flows.sequence BETWEEN theirs.first_sequence AND theirs.last_sequence
         AND flows.sequence BETWEEN taken.first AND taken.last)`,
    [BigInt(sealedBeforeUs)],
  );
  for (const [number, count] of await database.rows(
    "SELECT old, count(*) FROM closed_there JOIN map_collectors ON map_collectors.new = collector GROUP BY old",
  )) {
    dropped.set(Number(number), (dropped.get(Number(number)) ?? 0) + Number(count));
  }
  await connection.run("DELETE FROM flows WHERE rowid IN (SELECT id FROM closed_there)");
}

/** Takes the source's batches and announced losses. @returns How many of the batches were known. */
async function takeLedger(database: Database, { database: from }: Source, storedStreams: number): Promise<number> {
  const { connection, ledger, collectors } = database;
  const bothClosedUs = Math.min(database.sealedBeforeUs, from.sealedBeforeUs);
  let duplicates = 0;
  const announced = [];
  for (const stream of from.ledger.all()) {
    const ours = ledger.streamOf(stream);
    for (const range of stream.ranges) {
      for (const known of ours.ranges) {
        const count = Math.min(known.last, range.last) - Math.max(known.first, range.first) + 1;
        if (count <= 0) continue;
        duplicates += count;
        const fromUs = Math.max(known.firstUs, range.firstUs);
        if (fromUs < bothClosedUs) {
          const collector = collectors.numberOf(stream.collector);
          await connection.run("INSERT INTO losses VALUES ($1, $2, 'closed-twice', $3, $4, $5, NULL, NULL)", [
            ...[collector, fromUs, count, fromUs],
            Math.min(known.lastUs, range.lastUs, bothClosedUs),
          ]);
        }
      }
    }
    for (const range of stream.ranges) ledger.takeRange(stream, range);
    for (const loss of stream.losses) if (ledger.lose(stream, loss)) announced.push({ ...loss, stream: ours.id });
  }
  await writeLedger(connection, ledger, storedStreams, collectors);
  await writeAnnounced(connection, announced);
  return duplicates;
}

async function addSensors(
  database: Database,
  { database: from }: Source,
  dropped: ReadonlyMap<number, number>,
): Promise<void> {
  const { collectors, ledger, sensors } = database;
  const batches = new Map<string, number>();
  for (const { collector, ranges } of ledger.all()) {
    const taken = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    batches.set(collector, (batches.get(collector) ?? 0) + taken);
  }
  const known = (a: number, b: number, choose: (a: number, b: number) => number) =>
    Number.isNaN(a) ? b : Number.isNaN(b) ? a : choose(a, b);
  const touched: number[] = [];
  for (const [theirs, totals] of from.sensors) {
    const text = from.collectors.texts[theirs] as string;
    const number = collectors.numberOf(text);
    const ours = sensors.get(number) ?? { firstUs: Number.NaN, lastUs: Number.NaN, batches: 0, flows: 0 };
    sensors.set(number, {
      firstUs: known(ours.firstUs, totals.firstUs, Math.min),
      lastUs: known(ours.lastUs, totals.lastUs, Math.max),
      batches: batches.get(text) ?? 0,
      flows: ours.flows + totals.flows - (dropped.get(theirs) ?? 0),
    });
    touched.push(number);
  }
  await writeSensors(database, touched);
}

function newerOf<T extends { readonly sensor: string; readonly atUs: number }>(
  ours: readonly T[],
  theirs: readonly T[],
): T[] {
  const known = new Map(ours.map((beat) => [beat.sensor, beat.atUs]));
  return theirs.filter(({ sensor, atUs }) => atUs > (known.get(sensor) ?? -1));
}
