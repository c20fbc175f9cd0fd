import { HOUR_US } from "../../model/time-window.js";
import { WordInterner } from "../../model/word-interner.js";
import { allocateColumn, type ColumnKind, type NumberColumn } from "./columns.js";

/** Columns of the table `server_names`: hour, client, responder, protocol, service, scope, name. */
export const NAME_KINDS = ["i64", "u32", "u32", "u8", "u16", "u32", "u32"] as const satisfies readonly ColumnKind[];

/** A row as words: hours since the epoch, client, responder, protocol and service, scope, name. */
const WORDS = 6;
const WORD = 4294967296;

/** Distinct rows of `server_names`. Most flows repeat a row that is there, so finding one makes no object. */
export class NameRows {
  private readonly interner = new WordInterner(WORDS);

  get rows(): number {
    return this.interner.size;
  }

  /** @param hour its start in microseconds since the epoch */
  add(
    hour: number,
    client: number,
    responder: number,
    protocol: number,
    service: number,
    scope: number,
    name: number,
  ): void {
    const { key } = this.interner;
    key[0] = hour / HOUR_US;
    key[1] = client;
    key[2] = responder;
    key[3] = (protocol << 16) | service;
    key[4] = scope;
    key[5] = name;
    this.interner.intern();
  }

  /** The rows from `first` on; rows keep their places, so what was read before need not be read again. */
  columns(first: number): NumberColumn[] {
    const { words } = this.interner;
    const rows = this.rows - first;
    const columns = NAME_KINDS.map((kind) => allocateColumn(kind, rows));
    const [hours, clients, responders, protocols, services, scopes, names] = columns as NumberColumn[];
    for (let row = 0, at = first * WORDS; row < rows; row++, at += WORDS) {
      const hourUs = (words[at] as number) * HOUR_US;
      (hours as Uint32Array)[2 * row] = hourUs >>> 0;
      (hours as Uint32Array)[2 * row + 1] = Math.floor(hourUs / WORD);
      (clients as Uint32Array)[row] = words[at + 1] as number;
      (responders as Uint32Array)[row] = words[at + 2] as number;
      (protocols as Uint8Array)[row] = (words[at + 3] as number) >>> 16;
      (services as Uint16Array)[row] = words[at + 3] as number;
      (scopes as Uint32Array)[row] = words[at + 4] as number;
      (names as Uint32Array)[row] = words[at + 5] as number;
    }
    return columns;
  }
}
