import type { EndIdentity, OutcomeCounts } from "../../model/conversation.js";
import { ACTIVITY_COLUMNS, type ActivityColumns } from "./activity-query.js";
import type { NumberColumn } from "./columns.js";
import type { ConversationTexts } from "./conversations.js";

/** What was seen of one conversation, with who its ends were, in up to 32 hours: a window for each. */
export interface EdgeActivity {
  readonly client: string; // address
  readonly server: string;
  readonly clientIdentity: EndIdentity;
  readonly serverIdentity: EndIdentity;
  readonly protocol: number;
  readonly serverPort: number;
  readonly hourBlock: number; // hours from the epoch, divided by 32
  readonly hourMask: number; // bit b is set if something was seen in hour `hourBlock * 32 + b`
  readonly flows: OutcomeCounts;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
}

/** The rows of an answer, one at a time: there may be many, so each column is read by a place of its own. */
export function* edgeActivities(found: ActivityColumns, texts: ConversationTexts): Generator<EdgeActivity> {
  const names = Object.keys(ACTIVITY_COLUMNS) as (keyof typeof ACTIVITY_COLUMNS)[];
  const columns = Object.fromEntries(names.map((name, i) => [name, found.columns[i]]));
  const { client, server, clientIdentity, serverIdentity, protocol, service, hourBlock, hourMask } = columns as Columns;
  const { answered, refused, unanswered, midstream, firstUs, lastUs } = columns as Columns;
  for (let row = 0; row < found.rows; row++) {
    yield {
      client: texts.addresses[client[row]!]!,
      server: texts.addresses[server[row]!]!,
      clientIdentity: texts.identities[clientIdentity[row]!]!,
      serverIdentity: texts.identities[serverIdentity[row]!]!,
      protocol: protocol[row]!,
      serverPort: service[row]!,
      hourBlock: hourBlock[row]!,
      hourMask: hourMask[row]!,
      flows: {
        answered: answered[row]!,
        refused: refused[row]!,
        unanswered: unanswered[row]!,
        midstream: midstream[row]!,
      },
      firstSeenUs: firstUs[row]!,
      lastSeenUs: lastUs[row]!,
    };
  }
}

type Columns = Readonly<Record<keyof typeof ACTIVITY_COLUMNS, NumberColumn>>;
