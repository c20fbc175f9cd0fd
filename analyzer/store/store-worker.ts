import { parentPort, workerData } from "node:worker_threads";
import { reattribute } from "./attribution.js";
import { Database, type DatabaseOptions } from "./database.js";
import type { Dictionary } from "./dictionary.js";
import { samplesOf } from "./samples.js";
import { sealOldHours } from "./sealing.js";
import { gapsOf, sensorsOf } from "./sensors.js";
import { StoreError } from "./store-error.js";
import type { DictionarySizes, DictionaryTails, StoreAnswer, StoreReply, StoreRequest } from "./store-protocol.js";
import { Windows } from "./windows.js";

/** The thread that owns the database. Requests are answered one by one, in their order. */
const port = parentPort;
if (port === null) throw new Error("Cannot start the store's thread: it is a worker of store.ts");

let database: Database | undefined;
let windows: Windows | undefined;

function openDatabase(): { database: Database; windows: Windows } {
  if (database === undefined || windows === undefined)
    throw new StoreError("failed", "Cannot use the store: it is closed");
  return { database, windows };
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

async function answer(request: StoreRequest): Promise<StoreAnswer> {
  if (request.kind === "open") {
    database = await Database.open(workerData as DatabaseOptions);
    windows = new Windows(database);
    return { kind: "opened", inventory: database.inventory };
  }
  const open = openDatabase();
  switch (request.kind) {
    case "append": {
      const report = await open.database.append(request.batches);
      await sealOldHours(open.database, open.windows);
      return { kind: "appended", report };
    }
    case "windows": {
      const { fromUs, untilUs } = request;
      const found =
        request.width === "hour"
          ? await open.windows.hourly(fromUs, untilUs)
          : await open.windows.perMinute(fromUs, untilUs);
      return { kind: "windows", windows: found, added: tails(open.database, request.known) };
    }
    case "samples":
      return {
        kind: "samples",
        samples: await samplesOf(open.database, request.keys, request.fromUs, request.untilUs, request.limit),
      };
    case "sensors":
      return { kind: "sensors", sensors: await sensorsOf(open.database) };
    case "gaps":
      return { kind: "gaps", gaps: await gapsOf(open.database) };
    case "reattribute":
      return { kind: "reattributed", report: await reattribute(open.database, request.inventory) };
    case "close":
      open.database.close();
      database = undefined;
      windows = undefined;
      return { kind: "closed" };
  }
}

function buffersOf(found: StoreAnswer): ArrayBuffer[] {
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
      const error =
        cause instanceof StoreError
          ? { code: cause.code, message: cause.message }
          : {
              code: "failed" as const,
              message: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
            };
      port.postMessage({ id, error } satisfies StoreReply);
    }
  });
});
