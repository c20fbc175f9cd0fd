import type { ConversationKey, ConversationWindow } from "../../model/conversation.js";
import type { Inventory } from "../../model/workload.js";
import { type Endpoint, endpointOf, workloadEndpoint } from "./endpoint.js";
import { type Units, unitOf } from "./units.js";

/** One conversation between two identities over all windows: the cell that everything after this counts. */
export interface History {
  readonly id: string; // "client key>server key/protocol/port", unique
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly protocol: number;
  readonly port: number; // ICMP type for ICMP
  readonly serverAddress: string; // as addressed by the client, the smallest if several
  readonly via: string | undefined; // name of the shared address that the client used
  readonly answered: number; // flows
  readonly refused: number;
  readonly unanswered: number;
  readonly midstream: number;
  readonly clientPackets: number;
  readonly serverPackets: number;
  readonly answeredUnits: readonly number[]; // ascending
  readonly failedUnits: readonly number[]; // units with a refused or unanswered flow
  readonly units: readonly number[]; // units with any flow
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly isCertain: boolean; // direction was observed at least once
  readonly observers: readonly string[];
  readonly names: readonly string[];
  readonly keys: readonly ConversationKey[]; // the conversations behind it, sorted
}

type Draft = {
  client: Endpoint;
  server: Endpoint;
  via: string | undefined;
  rows: ConversationWindow[];
};

const sortedSet = (values: Iterable<string>) => [...new Set(values)].sort();
const ascending = (values: Iterable<number>) => [...new Set(values)].sort((a, b) => a - b);
const keyText = (key: ConversationKey) => `${key.client}>${key.server}/${key.protocol}/${key.serverPort}/${key.scope}`;

function finish(id: string, draft: Draft, units: Units): History {
  const sum = (pick: (row: ConversationWindow) => number) => draft.rows.reduce((total, row) => total + pick(row), 0);
  const unitsWhere = (holds: (row: ConversationWindow) => boolean) =>
    ascending(draft.rows.filter(holds).map((row) => unitOf(units, row.windowStartUs)));
  const first = draft.rows[0] as ConversationWindow;
  const keys = new Map<string, ConversationKey>();
  for (const { client, server, protocol, serverPort, scope } of draft.rows) {
    const key = { client, server, protocol, serverPort, scope };
    keys.set(keyText(key), key);
  }
  return {
    id,
    client: draft.client,
    server: draft.server,
    protocol: first.protocol,
    port: first.serverPort,
    serverAddress: sortedSet(draft.rows.map((row) => row.server))[0] as string,
    via: draft.via,
    answered: sum((row) => row.flows.answered),
    refused: sum((row) => row.flows.refused),
    unanswered: sum((row) => row.flows.unanswered),
    midstream: sum((row) => row.flows.midstream),
    clientPackets: sum((row) => row.clientPackets),
    serverPackets: sum((row) => row.serverPackets),
    answeredUnits: unitsWhere((row) => row.flows.answered > 0),
    failedUnits: unitsWhere((row) => row.flows.refused + row.flows.unanswered > 0),
    units: unitsWhere(() => true),
    firstSeenUs: Math.min(...draft.rows.map((row) => row.firstSeenUs)),
    lastSeenUs: Math.max(...draft.rows.map((row) => row.lastSeenUs)),
    isCertain: draft.rows.some((row) => row.isDirectionCertain),
    observers: sortedSet(draft.rows.flatMap((row) => row.observers)),
    names: sortedSet(draft.rows.flatMap((row) => row.names)),
    keys: [...keys.keys()].sort().map((key) => keys.get(key) as ConversationKey),
  };
}

/**
 * Folds windows into histories, sorted by id; the order of `windows` does not matter. Traffic to a shared address becomes
 * one history per member, because what an enforcer beside the member sees is the member's own address.
 */
export function foldWindows(windows: readonly ConversationWindow[], inventory: Inventory, units: Units): History[] {
  const shared = new Map(
    inventory.shared.flatMap((entry) => entry.addresses.map((address) => [address, entry] as const)),
  );
  const drafts = new Map<string, Draft>();
  for (const row of windows) {
    const client = endpointOf(row.client, row.clientIdentity);
    const entry = row.serverIdentity.kind === "workload" ? undefined : shared.get(row.server);
    const servers =
      entry === undefined || entry.members.length === 0
        ? [endpointOf(row.server, row.serverIdentity)]
        : entry.members.map(workloadEndpoint);
    for (const server of servers) {
      const id = `${client.key}>${server.key}/${row.protocol}/${row.serverPort}`;
      let draft = drafts.get(id);
      if (draft === undefined) {
        draft = { client, server, via: entry?.name, rows: [] };
        drafts.set(id, draft);
      }
      // A direct contact is the stronger fact: then the history is no longer only "via" a shared name.
      if (entry === undefined) draft.via = undefined;
      draft.rows.push(row);
    }
  }
  return [...drafts.keys()].sort().map((id) => finish(id, drafts.get(id) as Draft, units));
}
