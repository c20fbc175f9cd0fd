import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import type { LogPartition, LogPosition, LostMessages } from "./intake.js";

const keyOf = ({ source, topic, partition }: LogPartition) => JSON.stringify([source, topic, partition]);
const SAME_PARTITION = "source = $1 AND topic = $2 AND partition = $3";
const partitionOf = ({ source, topic, partition }: LogPartition): DuckDBValue[] => [source, topic, partition];

/** A stored loss with the span of time that the lost messages were appended in, NaN where an end is not known. */
export interface StoredLoss extends LostMessages {
  readonly fromUs: number;
  readonly untilUs: number;
}

/** What the tables `offsets` and `lost_messages` hold: how far each log has been read, and what it no longer had. */
export class LogPositions {
  private readonly known = new Map<string, LogPosition>();
  /** Partitions with a loss whose end in time is told by the next message. */
  private readonly open = new Set<string>();

  async load(connection: DuckDBConnection): Promise<void> {
    const reader = await connection.runAndReadAll(
      "SELECT source, topic, partition, next_offset, reached_us FROM offsets",
    );
    for (const [source, topic, partition, next, reachedUs] of reader.getRowsJS()) {
      const position = {
        source: String(source),
        topic: String(topic),
        partition: Number(partition),
        next: BigInt(next as bigint),
        reachedUs: Number(reachedUs),
      };
      this.known.set(keyOf(position), position);
    }
    for (const loss of await lossesOfLogs(connection)) if (Number.isNaN(loss.untilUs)) this.open.add(keyOf(loss));
  }

  of(partition: LogPartition): LogPosition | undefined {
    return this.known.get(keyOf(partition));
  }

  /** Within the caller's transaction. */
  async write(connection: DuckDBConnection, positions: readonly LogPosition[]): Promise<void> {
    for (const position of positions) {
      const key = keyOf(position);
      const { next, reachedUs } = position;
      if (this.open.has(key) && !Number.isNaN(reachedUs)) {
        await connection.run(`UPDATE lost_messages SET until_us = $4 WHERE ${SAME_PARTITION} AND isnan(until_us)`, [
          ...partitionOf(position),
          reachedUs,
        ]);
        this.open.delete(key);
      }
      const row = [...partitionOf(position), next, reachedUs];
      const isKnown = this.known.has(key);
      await connection.run(
        isKnown
          ? `UPDATE offsets SET next_offset = $4, reached_us = $5 WHERE ${SAME_PARTITION}`
          : "INSERT INTO offsets VALUES ($1, $2, $3, $4, $5)",
        row,
      );
      this.known.set(key, position);
    }
  }

  /** Notes a loss, and reading on behind it. Within the caller's transaction. */
  async lose(connection: DuckDBConnection, lost: LostMessages): Promise<void> {
    const reachedUs = this.of(lost)?.reachedUs ?? Number.NaN;
    const row = [...partitionOf(lost), lost.from, lost.until, reachedUs, Number.NaN];
    await connection.run("INSERT INTO lost_messages VALUES ($1, $2, $3, $4, $5, $6, $7)", row);
    await this.write(connection, [{ ...lost, next: lost.until, reachedUs: Number.NaN }]);
    this.open.add(keyOf(lost));
  }

  /** Forgets how far a partition was read: another store goes on with it. Within the caller's transaction. */
  async forget(connection: DuckDBConnection, partition: LogPartition): Promise<void> {
    await connection.run(`DELETE FROM offsets WHERE ${SAME_PARTITION}`, partitionOf(partition));
    this.known.delete(keyOf(partition));
  }
}

export async function lossesOfLogs(connection: DuckDBConnection): Promise<StoredLoss[]> {
  const reader = await connection.runAndReadAll(
    `SELECT source, topic, partition, from_offset, until_offset, from_us, until_us FROM lost_messages
     ORDER BY topic, partition, from_offset, source`,
  );
  return reader.getRowsJS().map(([source, topic, partition, from, until, fromUs, untilUs]) => ({
    source: String(source),
    topic: String(topic),
    partition: Number(partition),
    from: BigInt(from as bigint),
    until: BigInt(until as bigint),
    fromUs: Number(fromUs),
    untilUs: Number(untilUs),
  }));
}
