import type { ConversationKey, ConversationWindow, EndIdentity } from "../../model/conversation.js";
import { parseIdentityKey } from "../../model/identity-index.js";
import { formatProtocol } from "../../model/protocol.js";
import { HOUR_US, MINUTE_US } from "../../model/time-window.js";
import type { FlowSample } from "../../policy/allow-rule.js";
import type { NumberColumn } from "./columns.js";
import type { DictionarySizes, DictionaryTails } from "./store-protocol.js";
import { WINDOW_COLUMNS, type WindowColumns } from "./window-columns.js";

/** Names of a server that a window carries at most, the first in the order of the alphabet. */
const MAX_NAMES = 50;
const NO_SAMPLE_RANK = 5;
const NOTHING: readonly string[] = [];

/** The texts that numbers stand for, as far as they have been told to this side of the thread. */
export class ConversationTexts {
  readonly addresses: string[] = [];
  readonly identities: EndIdentity[] = [];
  readonly scopes: string[] = [];
  readonly names: string[] = [];
  readonly collectors: string[] = [];
  private epoch = 0;

  sizes(): DictionarySizes {
    return {
      epoch: this.epoch,
      addresses: this.addresses.length,
      identities: this.identities.length,
      scopes: this.scopes.length,
      names: this.names.length,
      collectors: this.collectors.length,
    };
  }

  add(tails: DictionaryTails): void {
    if (tails.epoch !== this.epoch) {
      this.epoch = tails.epoch;
      for (const list of [this.addresses, this.identities, this.scopes, this.names, this.collectors]) list.length = 0;
    }
    for (const text of tails.addresses) this.addresses.push(text);
    for (const text of tails.identities) this.identities.push(parseIdentityKey(text));
    for (const text of tails.scopes) this.scopes.push(text);
    for (const text of tails.names) this.names.push(text);
    for (const text of tails.collectors) this.collectors.push(text);
  }
}

function conversationText(key: ConversationKey): string {
  return `${key.client} ${key.server} ${key.protocol} ${key.serverPort} ${key.scope}`;
}

function group(pairs: { rows: Uint32Array; ids: Uint32Array }, texts: readonly string[], limit: number) {
  const lists = new Map<number, string[]>();
  for (let i = 0; i < pairs.rows.length; i++) {
    const row = pairs.rows[i] as number;
    const text = texts[pairs.ids[i] as number] as string;
    const list = lists.get(row);
    if (list === undefined) lists.set(row, [text]);
    else list.push(text);
  }
  for (const [row, list] of lists) lists.set(row, list.sort().slice(0, limit));
  return lists;
}

/** One answer of the store: windows, and one really seen flow of each. */
export class Conversations {
  readonly windows: readonly ConversationWindow[];
  private readonly column: Readonly<Record<keyof typeof WINDOW_COLUMNS, NumberColumn>>;
  private rowsByConversation: Map<string, number[]> | undefined;

  constructor(
    found: WindowColumns,
    private readonly texts: ConversationTexts,
    width: "hour" | "minute",
  ) {
    const names = Object.keys(WINDOW_COLUMNS) as (keyof typeof WINDOW_COLUMNS)[];
    const column = Object.fromEntries(names.map((name, i) => [name, found.columns[i] as NumberColumn]));
    this.column = column as Record<keyof typeof WINDOW_COLUMNS, NumberColumn>;
    this.windows = this.read(found, width === "hour" ? HOUR_US : MINUTE_US);
  }

  private read(found: WindowColumns, windowUs: number): ConversationWindow[] {
    const { column, texts } = this;
    const names = group(found.names, texts.names, MAX_NAMES);
    const observers = group(found.observers, texts.collectors, Number.POSITIVE_INFINITY);
    const single = texts.collectors.map((collector): readonly string[] => [collector]);
    const windows: ConversationWindow[] = [];
    const {
      client,
      server,
      protocol,
      service,
      scope,
      windowUs: startsUs,
      answered,
      refused,
      unanswered,
      midstream,
    } = column;
    const { clientPackets, serverPackets, clientBytes, serverBytes, firstUs, lastUs, isCertain } = column;
    for (let row = 0; row < found.rows; row++) {
      windows.push({
        client: texts.addresses[client[row] as number] as string,
        server: texts.addresses[server[row] as number] as string,
        protocol: protocol[row] as number,
        serverPort: service[row] as number,
        scope: texts.scopes[scope[row] as number] as string,
        windowStartUs: startsUs[row] as number,
        windowUs,
        flows: {
          answered: answered[row] as number,
          refused: refused[row] as number,
          unanswered: unanswered[row] as number,
          midstream: midstream[row] as number,
        },
        clientPackets: clientPackets[row] as number,
        serverPackets: serverPackets[row] as number,
        clientBytes: clientBytes[row] as number,
        serverBytes: serverBytes[row] as number,
        firstSeenUs: firstUs[row] as number,
        lastSeenUs: lastUs[row] as number,
        isDirectionCertain: isCertain[row] !== 0,
        observers: observers.get(row) ?? (single[column.observerLow[row] as number] as readonly string[]),
        names: names.get(row) ?? NOTHING,
        clientIdentity: texts.identities[column.clientIdentity[row] as number] as EndIdentity,
        serverIdentity: texts.identities[column.serverIdentity[row] as number] as EndIdentity,
      });
    }
    return windows;
  }

  /** One flow of each window of a conversation, the best answered one of its window, earliest first. */
  readonly samples = (key: ConversationKey): readonly FlowSample[] => {
    if (this.rowsByConversation === undefined) {
      this.rowsByConversation = new Map();
      for (const [row, window] of this.windows.entries()) {
        const text = conversationText(window);
        const rows = this.rowsByConversation.get(text);
        if (rows === undefined) this.rowsByConversation.set(text, [row]);
        else rows.push(row);
      }
    }
    const { column, texts } = this;
    return (this.rowsByConversation.get(conversationText(key)) ?? [])
      .filter((row) => (column.sampleRank[row] as number) < NO_SAMPLE_RANK)
      .map((row) => ({
        client: key.client,
        server: key.server,
        protocol: formatProtocol(key.protocol),
        clientPort: column.samplePort[row] as number,
        serverPort: key.serverPort,
        startUs: column.sampleUs[row] as number,
        clientBytes: column.sampleClientBytes[row] as number,
        serverBytes: column.sampleServerBytes[row] as number,
        observer: texts.collectors[column.sampleObserver[row] as number] as string,
      }))
      .sort((a, b) => a.startUs - b.startUs || a.clientPort - b.clientPort);
  };
}
