import type { AddressTimeline } from "../../model/identity-index.js";
import { HOUR_US } from "../../model/time-window.js";
import type { Inventory } from "../../model/workload.js";
import type { Database } from "./database.js";
import { storeErrorOf } from "./store-error.js";

/** How many inventories are kept, the newest first. */
const KEPT_INVENTORIES = 10;
const EARLIEST_US = 0;
const LATEST_US = Number.MAX_SAFE_INTEGER;

/** What a new inventory changed in the past. */
export interface Reattribution {
  readonly addresses: number; // addresses that somebody else had at some time
  readonly flows: number; // records that got another identity
}

const isSame = (a: AddressTimeline, b: AddressTimeline) =>
  a.identities.length === b.identities.length &&
  a.identities.every((identity, i) => identity === b.identities[i] && a.untilUs[i] === b.untilUs[i]);

/**
 * Makes `inventory` the one in force and repairs history: of the addresses whose owners changed, the records whose owner at
 * their start is now another one; of all addresses where what is stored was attributed by other inventories. Sealed windows are judged by their first packet, because their records are gone.
 * @throws {StoreError} Then nothing has changed in the store, and the memory must be read again by `load`.
 */
export async function reattribute(
  database: Database,
  inventory: Inventory,
  scope: "changed" | "all" = "changed",
): Promise<Reattribution> {
  const { formatInventory } = await import("../../model/inventory-format.js");
  const { connection, addresses } = database;
  const before = scope === "all" ? [] : addresses.texts.map((_, at) => database.identityIndex.timeline(at));
  database.useInventory(inventory);
  const changed = addresses.texts.flatMap((_, address) => {
    const timeline = before[address];
    return timeline !== undefined && isSame(timeline, database.identityIndex.timeline(address)) ? [] : [address];
  });
  try {
    const flows = await database.transaction(async () => {
      await database.identities.write(connection);
      const [last] = await database.rows("SELECT coalesce(max(version), 0) FROM inventories");
      const version = Number(last?.[0]) + 1;
      await connection.run("INSERT INTO inventories VALUES ($1, $2)", [version, formatInventory(inventory)]);
      await connection.run("DELETE FROM inventories WHERE version <= $1", [version - KEPT_INVENTORIES]);
      if (changed.length === 0) return 0;
      await writeParts(database, changed);
      let count = 0;
      for (const end of ["originator", "responder"] as const) {
        const isWrong = `${end} = part.address AND start_us >= part.from_us AND start_us < part.until_us AND ${end}_identity <> part.identity`;
        await database.markDirty(
          `SELECT DISTINCT unnest(range(start_us // ${HOUR_US} * ${HOUR_US}, end_us + 1, ${HOUR_US})) FROM flows JOIN part ON ${isWrong}`,
        );
        const update = `UPDATE flows SET ${end}_identity = part.identity FROM part WHERE ${isWrong}`;
        count += (await connection.run(update)).rowsChanged;
      }
      for (const [address, identity] of [
        ["client", "client_identity"],
        ["responder", "server_identity"],
      ] as const) {
        await connection.run(
          `UPDATE windows SET ${identity} = part.identity FROM part
           WHERE ${address} = part.address AND first_us >= part.from_us AND first_us < part.until_us AND ${identity} <> part.identity`,
        );
      }
      return count;
    });
    return { addresses: changed.length, flows };
  } catch (cause) {
    throw storeErrorOf("change the inventory of", database.options.path, cause);
  }
}

async function writeParts(database: Database, changed: readonly number[]): Promise<void> {
  await database.connection.run(
    "CREATE OR REPLACE TEMP TABLE part (address UINTEGER NOT NULL, from_us BIGINT NOT NULL, until_us BIGINT NOT NULL, identity UINTEGER NOT NULL)",
  );
  const appender = await database.connection.createAppender("part");
  for (const address of changed) {
    const { untilUs, identities } = database.identityIndex.timeline(address);
    let from = EARLIEST_US;
    for (const [i, identity] of identities.entries()) {
      const until = Math.min(Math.max(untilUs[i] as number, from), LATEST_US);
      appender.appendUInteger(address);
      appender.appendBigInt(BigInt(from));
      appender.appendBigInt(BigInt(until));
      appender.appendUInteger(identity);
      appender.endRow();
      from = until;
    }
  }
  appender.closeSync();
}
