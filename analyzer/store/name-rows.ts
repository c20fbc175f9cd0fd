import { allocateColumn, type ColumnKind, type NumberColumn } from "./columns.js";

/** Columns of the table `server_names`: hour, client, responder, protocol, service, scope, name. */
export const NAME_KINDS = ["i64", "u32", "u32", "u8", "u16", "u32", "u32"] as const satisfies readonly ColumnKind[];

const WORDS = NAME_KINDS.length;
const HOUR = 0;
const INITIAL_ROWS = 1024;
const WORD = 4294967296;

/** Distinct rows of `server_names`. Most flows repeat a row that is there, so finding one makes no object. */
export class NameRows {
  rows = 0;
  private values = new Float64Array(INITIAL_ROWS * WORDS); // the hour is above 2 ** 32
  private index = new Int32Array(INITIAL_ROWS * 2); // row + 1; 0 is free

  add(
    hour: number,
    client: number,
    responder: number,
    protocol: number,
    service: number,
    scope: number,
    name: number,
  ): void {
    const { index, values } = this;
    const mask = index.length - 1;
    let hash = Math.imul(client ^ Math.imul(responder, 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ name ^ (hash >>> 15), 0xc2b2ae35);
    hash = Math.imul(hash ^ (service << 8) ^ protocol ^ scope ^ (hour / 60_000_000) ^ (hash >>> 13), 0x27d4eb2f);
    let place = (hash ^ (hash >>> 16)) & mask;
    for (; index[place] !== 0; place = (place + 1) & mask) {
      const at = ((index[place] as number) - 1) * WORDS;
      if (
        values[at + 1] === client &&
        values[at + 2] === responder &&
        values[at + 6] === name &&
        values[at + 4] === service &&
        values[at] === hour &&
        values[at + 3] === protocol &&
        values[at + 5] === scope
      ) {
        return;
      }
    }
    index[place] = this.rows + 1;
    const at = this.rows * WORDS;
    values[at] = hour;
    values[at + 1] = client;
    values[at + 2] = responder;
    values[at + 3] = protocol;
    values[at + 4] = service;
    values[at + 5] = scope;
    values[at + 6] = name;
    this.rows++;
    if (this.rows * WORDS === values.length) this.grow();
  }

  private grow(): void {
    const values = new Float64Array(this.values.length * 2);
    values.set(this.values);
    const rows = this.rows;
    this.values = new Float64Array(values.length);
    this.index = new Int32Array(this.index.length * 2);
    this.rows = 0;
    for (let row = 0; row < rows; row++) {
      const [hour, client, responder, protocol, service, scope, name] = values.subarray(row * WORDS, (row + 1) * WORDS);
      this.add(
        hour as number,
        client as number,
        responder as number,
        protocol as number,
        service as number,
        scope as number,
        name as number,
      );
    }
  }

  /** The rows from `first` on; rows keep their places, so what was read before need not be read again. */
  columns(first: number): NumberColumn[] {
    const { values } = this;
    const rows = this.rows - first;
    return NAME_KINDS.map((kind, i) => {
      const column = allocateColumn(kind, rows);
      for (let row = 0; row < rows; row++) {
        const value = values[(first + row) * WORDS + i] as number;
        if (i === HOUR) {
          column[2 * row] = value >>> 0;
          column[2 * row + 1] = Math.floor(value / WORD);
        } else {
          column[row] = value;
        }
      }
      return column;
    });
  }
}
