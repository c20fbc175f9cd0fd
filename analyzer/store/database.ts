import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection, DuckDBValue, DuckDBInstance as Instance } from "@duckdb/node-api";
import { addressOfBytes, formatAddress, parseAddress } from "../../model/address.js";
import { AddressTimelines, IdentityIndex, identityKey } from "../../model/identity-index.js";
import { HOUR_US } from "../../model/time-window.js";
import { EMPTY_INVENTORY, type Inventory } from "../../model/workload.js";
import { AddressNumbers } from "./address-numbers.js";
import { BatchLedger } from "./batch-ledger.js";
import { Dictionary } from "./dictionary.js";
import { DuckDBInstance } from "./duckdb.js";
import type { FlowMemory } from "./flow-rows.js";
import { readLedger } from "./ledger-rows.js";
import { LogPositions } from "./log-positions.js";
import { NameRows } from "./name-rows.js";
import { SCHEMA, SCHEMA_VERSION, UPGRADES } from "./schema.js";
import { StoreError, storeErrorOf } from "./store-error.js";

export interface DatabaseOptions {
  readonly path: string; // ":memory:" keeps nothing
  readonly memoryLimitMb: number;
  readonly threads: number;
  readonly maxFlows: number; // records kept; beyond, the oldest hours are sealed into windows
}

export interface SensorTotals {
  firstUs: number; // NaN before the first flow
  lastUs: number;
  batches: number;
  flows: number;
}

/** How much may wait in the log beside the file: folding it in more often costs a third of a busy store's time. */
const LOG_BOUND = "128MB";

/** Names that are remembered as stored; beyond, they are forgotten and some are stored twice. */
const REMEMBERED_NAMES = 200_000;

/** Dictionaries that were read again give out their numbers anew, so every reading has a number of its own. */
let nextEpoch = 1;

/** A new store has no inventory, and is open sooner without what reads one. */
async function readInventory(text: string): Promise<Inventory> {
  const { parseInventory } = await import("../../model/inventory-file.js");
  return parseInventory(text, "stored inventory");
}

/** The open database with its dictionaries in memory. One caller at a time: the worker runs its requests in order. */
export class Database {
  addresses = new Dictionary("addresses");
  identities = new Dictionary("identities");
  scopes = new Dictionary("scopes");
  names = new Dictionary("names");
  collectors = new Dictionary("collectors");
  ledger = new BatchLedger();
  positions = new LogPositions();
  sensors = new Map<number, SensorTotals>();
  inventory: Inventory = EMPTY_INVENTORY;
  identityIndex = new IdentityIndex();
  /** Hours with records whose windows must be made again. */
  readonly dirtyHours = new Set<number>();
  /** Windows that start before this are sealed: their records are gone. */
  sealedBeforeUs = Number.NEGATIVE_INFINITY;
  storedFlows = 0;
  /** How many records there were when sealing last found none to let go. */
  unsealableFlows = 0;
  appendNo = 0;
  /** Memory of the last write, for the next one: writes are alike in size, and new memory is dear. */
  spareMemory: FlowMemory | undefined;
  /** Which reading of the dictionaries this is: numbers of another one mean nothing. */
  epoch = 0;
  private timelines = this.newTimelines();
  private addressNumbers = new AddressNumbers();
  private storedNames = new NameRows();

  private constructor(
    readonly options: DatabaseOptions,
    private readonly instance: Instance,
    readonly connection: DuckDBConnection,
    private readonly spillFolder: string,
  ) {}

  /** @throws {StoreError} */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { path } = options;
    // DuckDB makes this folder when a query needs more than its memory, and not before.
    const spillFolder = path === ":memory:" ? join(tmpdir(), `portolan-spill-${randomUUID()}`) : `${path}.spill`;
    let instance: Instance | undefined;
    try {
      instance = await DuckDBInstance.create(path, {
        memory_limit: `${options.memoryLimitMb}MiB`,
        threads: String(options.threads),
        temp_directory: spillFolder,
        wal_autocheckpoint: LOG_BOUND,
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false",
      });
      const connection = await instance.connect();
      const database = new Database(options, instance, connection, spillFolder);
      await database.prepareSchema();
      await database.load();
      return database;
    } catch (cause) {
      instance?.closeSync();
      throw storeErrorOf("open", path, cause);
    }
  }

  async rows(sql: string, values: DuckDBValue[] | Record<string, DuckDBValue> = []): Promise<unknown[][]> {
    return (await this.connection.runAndReadAll(sql, values)).getRowsJS();
  }

  private async prepareSchema(): Promise<void> {
    const tables = (await this.rows("SELECT table_name FROM duckdb_tables() WHERE NOT internal")).map(([name]) => name);
    if (tables.length === 0) {
      await this.transaction(async () => {
        await this.connection.run(SCHEMA.join(";\n"));
        await this.connection.run("INSERT INTO schema_version VALUES ($1)", [SCHEMA_VERSION]);
      });
      return;
    }
    const { path } = this.options;
    if (!tables.includes("schema_version")) {
      throw new StoreError(
        "not-a-store",
        `Cannot open store "${path}": wanted a database that Portolan wrote, or no file yet`,
      );
    }
    const version = Number((await this.rows("SELECT max(version) FROM schema_version"))[0]?.[0]);
    if (version > SCHEMA_VERSION) {
      throw new StoreError(
        "newer-version",
        `Cannot open store "${path}": it has schema version ${version}, wanted at most ${SCHEMA_VERSION}: update Portolan`,
      );
    }
    if (version < SCHEMA_VERSION) await this.upgradeFrom(version);
  }

  /** Makes a file of an earlier Portolan one of this: all of it or nothing. */
  private async upgradeFrom(version: number): Promise<void> {
    await this.transaction(async () => {
      for (let next = version + 1; next <= SCHEMA_VERSION; next++) {
        for (const statement of UPGRADES.get(next) ?? []) await this.connection.run(statement);
      }
      await this.connection.run("UPDATE schema_version SET version = $1", [SCHEMA_VERSION]);
    });
  }

  /** Runs `work` in a transaction, which is rolled back when it fails. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.connection.run("BEGIN TRANSACTION");
    try {
      const value = await work();
      await this.connection.run("COMMIT");
      return value;
    } catch (cause) {
      // A failed COMMIT has already rolled back, and then there is nothing left to roll back.
      await this.connection.run("ROLLBACK").catch(() => {});
      throw cause;
    }
  }

  private newTimelines(): AddressTimelines {
    return new AddressTimelines(this.inventory, (identity) => this.identities.numberOf(identityKey(identity)));
  }

  /** Reads dictionaries, ledger and inventory: at the start, and after a transaction that failed. */
  async load(): Promise<void> {
    this.epoch = nextEpoch++;
    this.dirtyHours.clear();
    this.storedNames = new NameRows();
    this.addresses = new Dictionary("addresses");
    this.addressNumbers = new AddressNumbers();
    this.identities = new Dictionary("identities");
    this.scopes = new Dictionary("scopes");
    this.names = new Dictionary("names");
    this.collectors = new Dictionary("collectors");
    for (const dictionary of [this.addresses, this.identities, this.scopes, this.names, this.collectors]) {
      await dictionary.load(this.connection);
    }
    const [inventory] = await this.rows("SELECT text FROM inventories ORDER BY version DESC LIMIT 1");
    this.useInventory(inventory === undefined ? EMPTY_INVENTORY : await readInventory(String(inventory[0])));
    this.ledger = new BatchLedger();
    await readLedger(this.connection, this.ledger, this.collectors);
    this.positions = new LogPositions();
    await this.positions.load(this.connection);
    this.sensors = new Map();
    for (const [collector, firstUs, lastUs, batches, flows] of await this.rows(
      "SELECT collector, first_us, last_us, batches, flows FROM sensors",
    )) {
      const totals = {
        firstUs: Number(firstUs),
        lastUs: Number(lastUs),
        batches: Number(batches),
        flows: Number(flows),
      };
      this.sensors.set(Number(collector), totals);
    }
    const [sealed] = await this.rows("SELECT max(value) FROM settings WHERE name = 'sealed_before_us'");
    this.sealedBeforeUs = sealed?.[0] === null || sealed === undefined ? Number.NEGATIVE_INFINITY : Number(sealed[0]);
    const [totals] = await this.rows("SELECT count(*), coalesce(max(append_no), 0) FROM flows");
    this.storedFlows = Number(totals?.[0]);
    this.appendNo = Number(totals?.[1]);
    await this.markDirty(
      `SELECT DISTINCT unnest(range(first_hour, last_hour + 1)) * ${HOUR_US} FROM (SELECT DISTINCT start_us // ${HOUR_US} AS first_hour, end_us // ${HOUR_US} AS last_hour FROM flows)`,
    );
  }

  /** Adds the hours that `sql` selects to the dirty ones, in microseconds. */
  async markDirty(sql: string): Promise<void> {
    for (const [hour] of await this.rows(sql)) this.dirtyHours.add(Number(hour));
  }

  /** Makes `inventory` the one that new rows are attributed by, and the index of all known addresses anew. */
  useInventory(inventory: Inventory): void {
    this.inventory = inventory;
    this.timelines = this.newTimelines();
    this.identityIndex = new IdentityIndex();
    for (const text of this.addresses.texts) this.identityIndex.add(this.timelines.of(parseAddress(text)));
  }

  /** The number of an address; a new one is added with its identities. */
  addressNumber(family: number, bytes: Uint8Array, offset: number): number {
    return this.addressNumbers.get(family, bytes, offset, this.newAddress);
  }

  private readonly newAddress = (family: number, bytes: Uint8Array, offset: number): number => {
    const address = addressOfBytes(family, bytes, offset);
    const text = formatAddress(address);
    const isNew = !this.addresses.has(text);
    const number = this.addresses.numberOf(text);
    if (isNew) this.identityIndex.add(this.timelines.of(address));
    return number;
  };

  /** Writes the texts that got their numbers since the last call, within the caller's transaction. */
  async writeDictionaries(): Promise<void> {
    for (const dictionary of [this.addresses, this.identities, this.scopes, this.names, this.collectors]) {
      await dictionary.write(this.connection);
    }
  }

  /** Names that are known to be stored; the caller adds those it is about to store. */
  rememberedNames(): NameRows {
    if (this.storedNames.rows > REMEMBERED_NAMES) this.storedNames = new NameRows();
    return this.storedNames;
  }

  /** Folds the log into the file and lets it go. */
  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
    rmSync(this.spillFolder, { recursive: true, force: true });
  }
}
