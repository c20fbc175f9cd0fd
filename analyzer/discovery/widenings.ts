import type { Widening } from "../../policy/allow-rule.js";
import type { Admitted } from "./admission.js";
import type { PeerChoice } from "./peer-choice.js";
import type { MinedRule } from "./rules.js";

export interface WidenedRule {
  readonly mined: MinedRule;
  readonly client: PeerChoice;
  readonly server: PeerChoice;
  readonly admitted: readonly Admitted[];
}

/** Counts beyond this are as good as this: they stay whole numbers that JSON carries exactly. */
const capped = (cells: number) => Math.min(cells, Number.MAX_SAFE_INTEGER);

/** Pairs of known endpoints that the rule permits; nobody needs a rule to talk to itself. */
function permittedPairs(client: PeerChoice, server: PeerChoice): number {
  const clients = new Set(client.permits);
  const selves = server.permits.filter((key) => clients.has(key)).length;
  return client.permits.length * server.permits.length - selves;
}

/** Everything a rule permits beyond the (client, server, service) cells that were seen, each with its size. */
export function wideningsOf({ mined, client, server, admitted }: WidenedRule): Widening[] {
  const pairs = new Set(admitted.map(({ history }) => `${history.client.key}>${history.server.key}`)).size;
  const permitted = permittedPairs(client, server);
  const widenings: Widening[] = [];
  if (permitted > pairs) {
    const notes = [
      client.unseenAddresses === 0 ? client.note : undefined,
      server.unseenAddresses === 0 ? server.note : undefined,
    ];
    const because = notes.flatMap((note) => note ?? []).join("; ") || "the roles are taken as a whole";
    widenings.push({
      kind: "role",
      text: `${pairs} of the ${permitted} client-server pairs it permits were seen: ${because}.`,
      cells: permitted - pairs,
    });
  }
  if (client.unseenAddresses > 0 || server.unseenAddresses > 0) {
    const notes = [client.note, server.note].flatMap((note) => note ?? []);
    const all = (client.permits.length + client.unseenAddresses) * (server.permits.length + server.unseenAddresses);
    widenings.push({ kind: "addresses", text: `${capitalised(notes.join("; "))}.`, cells: capped(all - permitted) });
  }
  if (mined.service.key === "dns") widenings.push(...dnsTwin(admitted, permitted));
  else if (mined.service.ports > 1) {
    const seen = new Set(admitted.map(({ history }) => history.port));
    const unseen = mined.service.ports - seen.size;
    if (unseen > 0) {
      const text =
        `The server gives out ports as it goes: ${seen.size} were seen, and the ${unseen} others ` +
        `of ${mined.service.key} are permitted with them.`;
      widenings.push({ kind: "ports", text, cells: capped(unseen * permitted) });
    }
  }
  return widenings;
}

function dnsTwin(admitted: readonly Admitted[], permitted: number): Widening[] {
  const seen = new Set(admitted.map(({ history }) => history.protocol));
  if (seen.size > 1) return [];
  const text = seen.has(17)
    ? "DNS over TCP was not seen; it is permitted because an answer too long for UDP is asked for again over TCP."
    : "DNS over UDP was not seen here; it is permitted because the same server answers others over UDP.";
  return [{ kind: "lifeline", text, cells: permitted }];
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
