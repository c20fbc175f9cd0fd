import type { Widening } from "../../policy/allow-rule.js";
import type { Admitted } from "./admission.js";
import type { PeerChoice } from "./peer-choice.js";
import type { MinedRule } from "./rules.js";
import type { ServiceClass } from "./service-class.js";

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

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Everything a rule permits beyond the (client, server, port) cells that were seen. Together the widenings count each
 * such cell once:
 *
 *     pairs seen       x ports permitted - cells seen   ports, or the twin of DNS
 *     pairs not seen   x ports permitted                role
 *     unknown addresses x ports permitted               addresses
 */
export function wideningsOf({ mined, client, server, admitted }: WidenedRule): Widening[] {
  const { service } = mined;
  const pairs = new Set(admitted.map(({ history }) => `${history.client.key}>${history.server.key}`)).size;
  const permitted = permittedPairs(client, server);
  const widenings: Widening[] = [];
  if (permitted > pairs) {
    const notes = [client, server].flatMap(({ note, unseenAddresses }) =>
      note !== undefined && unseenAddresses === 0 ? note : [],
    );
    const because = notes.join("; ") || "the roles are taken as a whole";
    const text = `${pairs} of the ${permitted} client-server pairs it permits were seen: ${because}.`;
    widenings.push({ kind: "role", text, cells: capped((permitted - pairs) * service.ports) });
  }
  if (client.unseenAddresses > 0 || server.unseenAddresses > 0) {
    const notes = [client.note, server.note].flatMap((note) => note ?? []);
    const all = (client.permits.length + client.unseenAddresses) * (server.permits.length + server.unseenAddresses);
    const cells = capped((all - permitted) * service.ports);
    widenings.push({ kind: "addresses", text: `${capitalised(notes.join("; "))}.`, cells });
  }
  const unseenPorts = pairs * service.ports - admitted.length;
  if (unseenPorts > 0) widenings.push(portsWidening(service, admitted, capped(unseenPorts)));
  return widenings;
}

function portsWidening(service: ServiceClass, admitted: readonly Admitted[], cells: number): Widening {
  const ports = new Set(admitted.map(({ history }) => `${history.protocol}/${history.port}`));
  if (service.key !== "dns") {
    const unseen = service.ports - ports.size;
    const text =
      `The server gives out ports as it goes: ${ports.size} were seen, and the ${unseen} others ` +
      `of ${service.key} are permitted with them.`;
    return { kind: "ports", text, cells };
  }
  const text = ports.has("17/53")
    ? "DNS over TCP is permitted beside UDP, seen or not, because an answer too long for UDP is asked for again over TCP."
    : "DNS over UDP was not seen here; it is permitted because the same server answers others over UDP.";
  return { kind: "lifeline", text, cells };
}
