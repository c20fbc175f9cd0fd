import type { ConversationKey } from "../../model/conversation.js";
import { formatProtocol } from "../../model/protocol.js";
import type { FlowSample } from "../../policy/allow-rule.js";
import type { Database } from "./database.js";
import { CLOCK_SKEW_US } from "./window-query.js";

/** Flows seen by several collectors appear once, so more rows than samples are read. */
const ROWS_PER_SAMPLE = 4;

/** The earliest stored flows of some conversations, at most `limit`; none where the records are gone. */
export async function samplesOf(
  database: Database,
  keys: readonly ConversationKey[],
  fromUs: number,
  untilUs: number,
  limit: number,
): Promise<FlowSample[]> {
  const { connection, addresses, scopes, collectors } = database;
  await connection.run(
    "CREATE OR REPLACE TEMP TABLE asked (originator UINTEGER, responder UINTEGER, protocol UTINYINT, service USMALLINT, scope_id UINTEGER)",
  );
  const appender = await connection.createAppender("asked");
  for (const { client, server, protocol, serverPort, scope } of keys) {
    // Numbers are given out on sight, and a question must not invent addresses.
    if (!addresses.has(client) || !addresses.has(server) || !scopes.has(scope)) continue;
    appender.appendUInteger(addresses.numberOf(client));
    appender.appendUInteger(addresses.numberOf(server));
    appender.appendUTinyInt(protocol);
    appender.appendUSmallInt(serverPort);
    appender.appendUInteger(scopes.numberOf(scope));
    appender.endRow();
  }
  appender.closeSync();
  const rows = await database.rows(
    `SELECT originator, responder, protocol, originator_port, service, start_us, originator_bytes, responder_bytes, collector
     FROM flows SEMI JOIN asked USING (originator, responder, protocol, service, scope_id) JOIN collectors ON collectors.id = collector
     WHERE start_us >= $from_us AND start_us < $until_us
     ORDER BY start_us, originator, responder, originator_port, service, text LIMIT $count`,
    { from_us: fromUs, until_us: untilUs, count: limit * ROWS_PER_SAMPLE },
  );
  const samples: FlowSample[] = [];
  for (const [client, server, protocol, clientPort, serverPort, start, clientBytes, serverBytes, collector] of rows) {
    const sample: FlowSample = {
      client: addresses.texts[Number(client)] as string,
      server: addresses.texts[Number(server)] as string,
      protocol: formatProtocol(Number(protocol)),
      clientPort: Number(clientPort),
      serverPort: Number(serverPort),
      startUs: Number(start),
      clientBytes: Number(clientBytes),
      serverBytes: Number(serverBytes),
      observer: collectors.texts[Number(collector)] as string,
    };
    const isSeenByOther = samples.some(
      (other) =>
        other.observer !== sample.observer &&
        other.client === sample.client &&
        other.server === sample.server &&
        other.clientPort === sample.clientPort &&
        other.serverPort === sample.serverPort &&
        other.protocol === sample.protocol &&
        sample.startUs - other.startUs <= CLOCK_SKEW_US,
    );
    if (!isSeenByOther) samples.push(sample);
    if (samples.length === limit) break;
  }
  return samples;
}
