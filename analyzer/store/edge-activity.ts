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

/** The rows of an answer, one at a time: there may be many. */
export function* edgeActivities(found: ActivityColumns, texts: ConversationTexts): Generator<EdgeActivity> {
  const names = Object.keys(ACTIVITY_COLUMNS) as (keyof typeof ACTIVITY_COLUMNS)[];
  const column = Object.fromEntries(names.map((name, i) => [name, found.columns[i] as NumberColumn]));
  const { client, server, clientIdentity, serverIdentity, protocol, service, hourBlock, hourMask } = column;
  const { answered, refused, unanswered, midstream, firstUs, lastUs } = column;
  for (let row = 0; row < found.rows; row++) {
    const at = (of: NumberColumn | undefined) => of?.[row] as number;
    yield {
      client: texts.addresses[at(client)] as string,
      server: texts.addresses[at(server)] as string,
      clientIdentity: texts.identities[at(clientIdentity)] as EndIdentity,
      serverIdentity: texts.identities[at(serverIdentity)] as EndIdentity,
      protocol: at(protocol),
      serverPort: at(service),
      hourBlock: at(hourBlock),
      hourMask: at(hourMask),
      flows: { answered: at(answered), refused: at(refused), unanswered: at(unanswered), midstream: at(midstream) },
      firstSeenUs: at(firstUs),
      lastSeenUs: at(lastUs),
    };
  }
}
