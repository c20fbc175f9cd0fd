import { parentPort, workerData } from "node:worker_threads";
import { append } from "./append.js";
import { reattribute } from "./attribution.js";
import { auditOf } from "./audit-query.js";
import { Database, type DatabaseOptions } from "./database.js";
import { denialsSince } from "./denial-query.js";
import type { Dictionary } from "./dictionary.js";
import { heartbeatsOf, keepHeartbeats } from "./heartbeats.js";
import { samplesOf } from "./samples.js";
import { sealOldHours } from "./sealing.js";
import { gapsOf, sensorsOf } from "./sensors.js";
import { StoreError, storeErrorOf } from "./store-error.js";
import type { DictionarySizes, DictionaryTails, StoreAnswer, StoreReply, StoreRequest } from "./store-protocol.js";
import { Windows } from "./windows.js";

/** The thread that owns the database. Requests are answered one by one, in their order. */
const port = parentPort;
if (port === null) throw new Error("Cannot start the store's thread: it is a worker of store.ts");

const CLOSED = new StoreError("failed", "Cannot use the store: it is closed");
let open: { readonly database: Database; readonly windows: Windows } | StoreError = CLOSED;

async function openDatabase(): Promise<Database> {
  const database = await Database.open(workerData as DatabaseOptions);
  open = { database, windows: new Windows(database) };
  return database;
}

/**
 * Makes the memory agree again with what is stored, after a write that failed. DuckDB may have given up the whole database
 * (a log that could not be written); then it is opened anew.
 */
async function recover({ database }: { readonly database: Database }): Promise<void> {
  try {
    await database.load();
    open = { database, windows: new Windows(database) };
  } catch {
    open = CLOSED;
    database.close();
    await openDatabase().catch((cause: unknown) => {
      open = storeErrorOf("open", database.options.path, cause);
    });
  }
}

function tails(of: Database, known: DictionarySizes): DictionaryTails {
  const { epoch } = of;
  const after = ({ texts }: Dictionary, count: number) => texts.slice(known.epoch === epoch ? count : 0);
  return {
    epoch,
    addresses: after(of.addresses, known.addresses),
    identities: after(of.identities, known.identities),
    scopes: after(of.scopes, known.scopes),
    names: after(of.names, known.names),
    collectors: after(of.collectors, known.collectors),
  };
}

async function write<T>(now: { readonly database: Database }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    await recover(now);
    throw cause;
  }
}

async function answer(request: StoreRequest): Promise<StoreAnswer> {
  if (request.kind === "open") return { kind: "opened", inventory: (await openDatabase()).inventory };
  if (open instanceof StoreError) throw open;
  const now = open;
  const { database, windows } = now;
  switch (request.kind) {
    case "append": {
      const report = await write(now, async () => {
        const appended = await append(database, request.intake);
        await sealOldHours(database, windows);
        return appended;
      });
      return { kind: "appended", report };
    }
    case "positions":
      return { kind: "positions", positions: request.partitions.flatMap((at) => database.positions.of(at) ?? []) };
    case "release":
      await write(now, () =>
        database.transaction(async () => {
          for (const partition of request.partitions) await database.positions.forget(database.connection, partition);
        }),
      );
      return { kind: "noted" };
    case "keep-heartbeats":
      await write(now, () => keepHeartbeats(database, request.beats));
      return { kind: "noted" };
    case "heartbeats":
      return { kind: "heartbeats", beats: await heartbeatsOf(database) };
    case "keep-audit": {
      const { documents, positions } = request;
      const { appendAudit } = await import("./audit-rows.js"); // only where enforcers report
      return { kind: "audit-kept", added: await write(now, () => appendAudit(database, documents, positions)) };
    }
    case "audit":
      return { kind: "audit", figures: await auditOf(database, request.fromUs, request.untilUs) };
    case "denials":
      return { kind: "denials", denials: await denialsSince(database, request.after) };
    case "windows": {
      const { fromUs, untilUs } = request;
      const found =
        request.width === "hour" ? await windows.hourly(fromUs, untilUs) : await windows.perMinute(fromUs, untilUs);
      return { kind: "windows", windows: found, added: tails(database, request.known) };
    }
    case "activity": {
      const activity = await windows.activity(request.fromUs, request.untilUs);
      return { kind: "activity", activity, added: tails(database, request.known) };
    }
    case "samples": {
      const { keys, fromUs, untilUs, limit } = request;
      return { kind: "samples", samples: await samplesOf(database, keys, fromUs, untilUs, limit) };
    }
    case "sensors":
      return { kind: "sensors", sensors: await sensorsOf(database) };
    case "gaps":
      return { kind: "gaps", gaps: await gapsOf(database) };
    case "reattribute":
      return { kind: "reattributed", report: await write(now, () => reattribute(database, request.inventory)) };
    case "close":
      database.close();
      open = CLOSED;
      return { kind: "closed" };
  }
}

function buffersOf(found: StoreAnswer): ArrayBuffer[] {
  if (found.kind === "activity") return found.activity.columns.map((column) => column.buffer as ArrayBuffer);
  if (found.kind !== "windows") return [];
  const { columns, names, observers } = found.windows;
  return [...columns, names.rows, names.ids, observers.rows, observers.ids].map((array) => array.buffer as ArrayBuffer);
}

let queue: Promise<void> = Promise.resolve();
port.on("message", ({ id, request }: { id: number; request: StoreRequest }) => {
  queue = queue.then(async () => {
    try {
      const found = await answer(request);
      port.postMessage({ id, answer: found } satisfies StoreReply, buffersOf(found));
    } catch (cause) {
      const { code, message } = storeErrorOf("read", (workerData as DatabaseOptions).path, cause);
      const error = { code, message };
      port.postMessage({ id, error } satisfies StoreReply);
    }
  });
});
