import { addressOfBytes, formatAddress } from "../../model/address.js";
import { MAX_NAME_BYTES, wireText } from "./name-search.js";
import { TextCache } from "./text-cache.js";

/*
 * RFC 1035, section 4.1; mDNS (RFC 6762) and LLMNR (RFC 4795) share the layout.
 *
 *     0  id | 2 QR:1 opcode:4 AA TC RD RA Z:3 rcode:4 | 4 questions | 6 answers | 8 authority | 10 additional
 *     question  name, type:16, class:16
 *     record    name, type:16, class:16, ttl:32, length:16, data
 */
const HEADER_BYTES = 12;
const MAX_POINTER_HOPS = 64;
const MAX_RECORDS = 512; // more than fits in what any resolver sends; bounds the work on a hostile message
const MAX_CHAIN = 32; // aliases followed from an address back to the name that was asked
const MAX_TTL_SECONDS = 0x7fffffff; // RFC 2181, section 8: above it, the top bit was set and the value is void

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
const TYPE_SVCB = 64;
const TYPE_HTTPS = 65;
const KEY_IPV4_HINT = 4;
const KEY_IPV6_HINT = 6;
const CLASS_IN = 1;
const CLASS_MASK = 0x7fff; // the top bit is mDNS's cache flush and unicast reply

export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
}

/** A record that leads from a name towards an address. Addresses hinted by HTTPS and SVCB records count as addresses. */
export type DnsAnswer =
  | { readonly kind: "address"; readonly owner: string; readonly address: string; readonly ttlSeconds: number }
  | { readonly kind: "alias"; readonly owner: string; readonly target: string; readonly ttlSeconds: number };

/** Names are lower case without the final dot, the root is `.`; a dot within a label is `\.`, unprintable bytes `\DDD`. */
export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  readonly rcode: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsAnswer[]; // in wire order
  readonly isWhole: boolean; // every counted record was there and well formed
  readonly byteLength: number; // bytes read
}

/** Reads fields forward and never beyond `end`; after a fault `isFaulty` stays set and all reads answer 0 or "". */
class Cursor {
  isFaulty = false;
  readonly start: number;

  constructor(
    readonly buffer: Uint8Array,
    public position: number,
    readonly end: number,
  ) {
    this.start = position;
  }

  /** Moves on by `count` bytes and answers where they begin. */
  take(count: number): number {
    const at = this.position;
    if (this.isFaulty || at + count > this.end) {
      this.isFaulty = true;
      return 0;
    }
    this.position = at + count;
    return at;
  }

  u16(): number {
    const at = this.take(2);
    if (this.isFaulty) return 0;
    return ((this.buffer[at] as number) << 8) | (this.buffer[at + 1] as number);
  }

  u32(): number {
    return this.u16() * 65536 + this.u16();
  }

  /** A pointer must lead to before the run of labels it ends, so that every jump goes back and the walk ends. */
  name(): string {
    const { buffer, end } = this;
    let at = this.position;
    let runStart = at;
    let after = -1;
    let hops = 0;
    let wireBytes = 1;
    let text = "";
    while (at < end) {
      const length = buffer[at] as number;
      if (length === 0 || length >= 0xc0) {
        if (at > runStart) text += (text === "" ? "" : ".") + RUN_TEXTS.of(buffer, runStart, at);
        if (length === 0) {
          this.position = after < 0 ? at + 1 : after;
          return text === "" ? "." : text;
        }
        if (at + 2 > end || ++hops > MAX_POINTER_HOPS) break;
        const target = this.start + (((length & 0x3f) << 8) | (buffer[at + 1] as number));
        if (target >= runStart || target < this.start + HEADER_BYTES) break;
        if (after < 0) after = at + 2;
        at = target;
        runStart = target;
        continue;
      }
      wireBytes += length + 1;
      if (length > 63 || wireBytes > MAX_NAME_BYTES || at + 1 + length > end) break;
      at += 1 + length;
    }
    this.isFaulty = true;
    return "";
  }
}

/** Texts of runs of labels, with the length bytes before each. */
const RUN_TEXTS = new TextCache(
  (buffer, start, end) => {
    let text = "";
    for (let at = start; at < end; at += 1 + (buffer[at] as number)) {
      if (at > start) text += ".";
      text += labelText(buffer, at + 1, at + 1 + (buffer[at] as number));
    }
    return text;
  },
  1024,
  64,
);

function labelText(buffer: Uint8Array, start: number, end: number): string {
  const text = wireText(buffer, start, end);
  return text.includes(".") ? text.replaceAll(".", "\\.") : text;
}

const ADDRESS_TEXTS = new TextCache(
  (buffer, start, end) => formatAddress(addressOfBytes(end - start === 4 ? 4 : 6, buffer, start)),
  4096,
  16,
);

const ipv4Text = (buffer: Uint8Array, at: number) => ADDRESS_TEXTS.of(buffer, at, at + 4);
const ipv6Text = (buffer: Uint8Array, at: number) => ADDRESS_TEXTS.of(buffer, at, at + 16);

/** Addresses that an HTTPS or SVCB record hints at (RFC 9460, section 2.2): priority:16, target, then key:16, length:16, value. */
function readHints(cursor: Cursor, owner: string, ttlSeconds: number, answers: DnsAnswer[]): void {
  const { buffer } = cursor;
  const priority = cursor.u16();
  const target = cursor.name();
  if (cursor.isFaulty) return;
  if (target !== "." && target !== owner) answers.push({ kind: "alias", owner, target, ttlSeconds });
  if (priority === 0) return;
  while (cursor.position < cursor.end) {
    const key = cursor.u16();
    const length = cursor.u16();
    const at = cursor.take(length);
    if (cursor.isFaulty) return;
    const width = key === KEY_IPV4_HINT ? 4 : key === KEY_IPV6_HINT ? 16 : 0;
    if (width === 0) continue;
    for (let hint = at; hint + width <= at + length; hint += width) {
      const address = width === 4 ? ipv4Text(buffer, hint) : ipv6Text(buffer, hint);
      answers.push({ kind: "address", owner, address, ttlSeconds });
    }
  }
}

function readRecord(cursor: Cursor, answers: DnsAnswer[]): void {
  const owner = cursor.name();
  const type = cursor.u16();
  const recordClass = cursor.u16() & CLASS_MASK;
  const wireTtl = cursor.u32();
  const length = cursor.u16();
  const at = cursor.take(length);
  if (cursor.isFaulty || recordClass !== CLASS_IN) return;
  const ttlSeconds = wireTtl > MAX_TTL_SECONDS ? 0 : wireTtl;
  const { buffer } = cursor;
  if (type === TYPE_A && length === 4) {
    answers.push({ kind: "address", owner, address: ipv4Text(buffer, at), ttlSeconds });
  } else if (type === TYPE_AAAA && length === 16) {
    answers.push({ kind: "address", owner, address: ipv6Text(buffer, at), ttlSeconds });
  } else if (type === TYPE_CNAME || type === TYPE_HTTPS || type === TYPE_SVCB) {
    // Pointers in the data count from the message's start, but nothing may be read beyond the data's end.
    const data = new Cursor(buffer, cursor.start, at + length);
    data.position = at;
    if (type === TYPE_CNAME) {
      const target = data.name();
      if (!data.isFaulty) answers.push({ kind: "alias", owner, target, ttlSeconds });
    } else {
      readHints(data, owner, ttlSeconds, answers);
    }
  }
}

/**
 * Reads the message in buffer[offset, offset + length), without TCP's length prefix. What follows the first fault is
 * dropped, what precedes it is kept. Records of the additional section are read only where they are answers, in mDNS.
 * @returns undefined if the header is not there or claims what no DNS message of today has.
 */
export function parseDnsMessage(
  buffer: Uint8Array,
  offset: number,
  length: number,
  isMulticast = false,
): DnsMessage | undefined {
  if (length < HEADER_BYTES) return undefined;
  const cursor = new Cursor(buffer, offset, Math.min(offset + length, buffer.length));
  const id = cursor.u16();
  const flags = cursor.u16();
  const questionCount = cursor.u16();
  const answerCount = cursor.u16();
  const authorityCount = cursor.u16();
  const additionalCount = cursor.u16();
  if (cursor.isFaulty || questionCount > MAX_RECORDS) return undefined;
  const questions: DnsQuestion[] = [];
  for (let i = 0; i < questionCount; i++) {
    const name = cursor.name();
    const type = cursor.u16();
    cursor.u16();
    if (cursor.isFaulty) break;
    questions.push({ name, type });
  }
  const answers: DnsAnswer[] = [];
  const total = answerCount + authorityCount + additionalCount;
  const unread: DnsAnswer[] = [];
  for (let i = 0; i < Math.min(total, MAX_RECORDS) && !cursor.isFaulty; i++) {
    readRecord(cursor, i < answerCount || (isMulticast && i >= answerCount + authorityCount) ? answers : unread);
  }
  return {
    id,
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    rcode: flags & 15,
    questions,
    answers,
    isWhole: !cursor.isFaulty && total <= MAX_RECORDS,
    byteLength: cursor.position - offset,
  };
}

/** That `name` was answered with `address`, for `ttlSeconds` from now. */
export interface NamedAddress {
  readonly name: string;
  readonly address: string; // canonical text
  readonly ttlSeconds: number; // the least on the way from the name to the address
}

/** The addresses of a message under the names that were asked: aliases are followed back to where their chain begins. */
export function askedAddresses(message: DnsMessage): NamedAddress[] {
  const [first] = message.answers;
  if (message.answers.length === 1 && first?.kind === "address") {
    return [{ name: first.owner, address: first.address, ttlSeconds: first.ttlSeconds }];
  }
  const aliasOf = new Map<string, { readonly owner: string; readonly ttlSeconds: number }>();
  for (const answer of message.answers) {
    if (answer.kind === "alias" && !aliasOf.has(answer.target)) aliasOf.set(answer.target, answer);
  }
  const asked = new Set(message.questions.map((question) => question.name));
  const found = new Map<string, NamedAddress>();
  for (const answer of message.answers) {
    if (answer.kind !== "address") continue;
    let name = answer.owner;
    let ttlSeconds = answer.ttlSeconds;
    for (let hops = 0; hops < MAX_CHAIN && !asked.has(name); hops++) {
      const alias = aliasOf.get(name);
      if (alias === undefined) break;
      name = alias.owner;
      ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds);
    }
    const key = `${name} ${answer.address}`;
    if (!found.has(key)) found.set(key, { name, address: answer.address, ttlSeconds });
  }
  return [...found.values()];
}
