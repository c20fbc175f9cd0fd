import type { ConversationKey, ConversationWindow } from "../../model/conversation.js";
import type { Inventory } from "../../model/workload.js";
import { type AddressClass, classOfAddress } from "./address-class.js";
import { type Endpoint, endpointOf, workloadEndpoint } from "./endpoint.js";
import { type Units, unitOf } from "./units.js";

/** One conversation between two identities over all windows: the cell that everything after this counts. */
export interface History {
  readonly id: string; // "client key>server key/protocol/port", unique
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly protocol: number;
  readonly port: number; // ICMP type for ICMP
  readonly service: string; // "server key/protocol/port": what its server offers
  readonly serverAddress: string; // as addressed by the client, the smallest if several
  readonly serverClass: AddressClass; // of serverAddress
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

/** The windows of one history, by time. */
export interface Sightings {
  readonly id: string;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly service: string; // see History
  readonly rows: readonly ConversationWindow[];
  readonly via: readonly (string | undefined)[]; // parallel: the shared address that was called, if any
}

const keyText = (row: ConversationKey) => `${row.client}>${row.server}/${row.protocol}/${row.serverPort}/${row.scope}`;

/** Sorted and without doubles; most lists have one entry, and most rows repeat the one before. */
class TextSet {
  readonly #texts = new Set<string>();
  #last: readonly string[] = [];

  add(texts: readonly string[]): void {
    if (texts === this.#last) return;
    this.#last = texts;
    for (const text of texts) this.#texts.add(text);
  }

  sorted(): string[] {
    const texts = [...this.#texts];
    return texts.length > 1 ? texts.sort() : texts;
  }
}

/**
 * Groups windows by history, sorted by id; the order of `windows` does not matter. Traffic to a shared address becomes
 * one history per member, because what an enforcer beside the member sees is the member's own address.
 */
export function groupWindows(windows: readonly ConversationWindow[], inventory: Inventory): Sightings[] {
  const shared = new Map(
    inventory.shared.flatMap((entry) => entry.addresses.map((address) => [address, entry] as const)),
  );
  const known = new Set(inventory.workloads.map(({ id }) => id));
  const drafts = new Map<
    string,
    { client: Endpoint; server: Endpoint; rows: { row: ConversationWindow; via: string | undefined }[] }
  >();
  const put = (client: Endpoint, server: Endpoint, row: ConversationWindow, via: string | undefined) => {
    const id = `${client.key}>${server.key}/${row.protocol}/${row.serverPort}`;
    const draft = drafts.get(id);
    if (draft === undefined) drafts.set(id, { client, server, rows: [{ row, via }] });
    else draft.rows.push({ row, via });
  };
  for (const row of windows) {
    const client = endpointOf(row.client, row.clientIdentity, known);
    const entry = row.serverIdentity.kind === "workload" ? undefined : shared.get(row.server);
    if (entry === undefined || !entry.members.some((member) => known.has(member))) {
      put(client, endpointOf(row.server, row.serverIdentity, known), row, undefined);
    } else {
      for (const member of entry.members.filter((id) => known.has(id)))
        put(client, workloadEndpoint(member), row, entry.name);
    }
  }
  return [...drafts.keys()].sort().map((id) => {
    const { client, server, rows } = drafts.get(id) as NonNullable<ReturnType<typeof drafts.get>>;
    rows.sort((a, b) => a.row.windowStartUs - b.row.windowStartUs);
    const service = id.slice(client.key.length + 1);
    return { id, client, server, service, rows: rows.map(({ row }) => row), via: rows.map(({ via }) => via) };
  });
}

/** What is counted row by row; the rest of a history can be told from any of its rows. */
interface Tally {
  readonly answered: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly midstream: number;
  readonly clientPackets: number;
  readonly serverPackets: number;
  readonly answeredUnits: readonly number[];
  readonly failedUnits: readonly number[];
  readonly units: readonly number[];
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly isCertain: boolean;
  readonly via: string | undefined;
}

function tally({ rows, via: vias }: Sightings, units: Units, until: number): Tally {
  const lists: { answered: number[]; failed: number[]; all: number[] } = { answered: [], failed: [], all: [] };
  const note = (list: number[], unit: number) => {
    if (list[list.length - 1] !== unit) list.push(unit);
  };
  let answered = 0;
  let refused = 0;
  let unanswered = 0;
  let midstream = 0;
  let clientPackets = 0;
  let serverPackets = 0;
  let firstSeenUs = Number.POSITIVE_INFINITY;
  let lastSeenUs = Number.NEGATIVE_INFINITY;
  let isCertain = false;
  let via = vias[0];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as ConversationWindow;
    const unit = unitOf(units, row.windowStartUs);
    if (unit >= until) break;
    const { flows } = row;
    note(lists.all, unit);
    if (flows.answered > 0) note(lists.answered, unit);
    if (flows.refused + flows.unanswered > 0) note(lists.failed, unit);
    answered += flows.answered;
    refused += flows.refused;
    unanswered += flows.unanswered;
    midstream += flows.midstream;
    clientPackets += row.clientPackets;
    serverPackets += row.serverPackets;
    firstSeenUs = Math.min(firstSeenUs, row.firstSeenUs);
    lastSeenUs = Math.max(lastSeenUs, row.lastSeenUs);
    isCertain ||= row.isDirectionCertain;
    // A direct contact is the stronger fact: then the history is no longer only "via" a shared name.
    if (vias[i] === undefined) via = undefined;
  }
  return {
    answered,
    refused,
    unanswered,
    midstream,
    clientPackets,
    serverPackets,
    answeredUnits: lists.answered,
    failedUnits: lists.failed,
    units: lists.all,
    firstSeenUs,
    lastSeenUs,
    isCertain,
    via,
  };
}

function wholeHistory(sightings: Sightings, units: Units): History {
  const { id, client, server, service, rows } = sightings;
  const observers = new TextSet();
  const names = new TextSet();
  const keys = new Map<string, ConversationKey>();
  let previous: ConversationWindow | undefined;
  for (const row of rows) {
    observers.add(row.observers);
    names.add(row.names);
    if (previous?.client !== row.client || previous.server !== row.server || previous.scope !== row.scope) {
      const { client, server, protocol, serverPort, scope } = row;
      keys.set(keyText(row), { client, server, protocol, serverPort, scope });
    }
    previous = row;
  }
  const { protocol, serverPort: port } = rows[0] as ConversationWindow;
  const sortedKeys = [...keys.keys()].sort().map((key) => keys.get(key) as ConversationKey);
  const serverAddress = sortedKeys.map((key) => key.server).sort()[0] as string;
  return {
    id,
    client,
    server,
    protocol,
    port,
    service,
    serverAddress,
    serverClass: classOfAddress(serverAddress),
    observers: observers.sorted(),
    names: names.sorted(),
    keys: sortedKeys,
    ...tally(sightings, units, Number.POSITIVE_INFINITY),
  };
}

/** Histories of all that was seen, in the order of `sightings`. */
export function foldSightings(sightings: readonly Sightings[], units: Units): History[] {
  return sightings.map((each) => wholeHistory(each, units));
}

/**
 * The same histories as they stood before unit `until`, without those that had not begun. Their names, observers and keys
 * are those of the whole: nothing is learned from them.
 * @param whole what `foldSightings` made of the same sightings
 */
export function historiesBefore(
  sightings: readonly Sightings[],
  whole: readonly History[],
  units: Units,
  until: number,
): History[] {
  const past: History[] = [];
  for (let i = 0; i < whole.length; i++) {
    const history = whole[i] as History;
    if ((history.units[0] as number) >= until) continue;
    const isOver = (history.units[history.units.length - 1] as number) < until;
    past.push(isOver ? history : { ...history, ...tally(sightings[i] as Sightings, units, until) });
  }
  return past;
}
