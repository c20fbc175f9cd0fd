import { askedAddresses, type DnsMessage, type NamedAddress, parseDnsMessage } from "./dns-message.js";
import { isHttpStart, searchHttpHost } from "./http-host.js";
import type { NameSearch } from "./name-search.js";
import { type InitialKeys, isQuicLongHeader, readQuicInitials } from "./quic-initial.js";
import { StreamStarts } from "./stream-starts.js";
import { isTlsStart, readDtlsFragment, searchDtlsBody, searchHandshake, searchTlsStream } from "./tls-client-hello.js";

/** What one payload told about names. */
export type NameSighting =
  | { readonly kind: "name"; readonly name: string; readonly source: "sni" | "http-host" } // of the flow's responder
  | { readonly kind: "dns-answers"; readonly answers: readonly NamedAddress[] }; // told to the flow's originator

const TCP = 6;
const UDP = 17;
const DNS_PORT = 53;
const MDNS_PORT = 5353;
const LLMNR_PORT = 5355;
const OPCODE_QUERY = 0;
const RCODE_OK = 0;

/** How many payload packets of a flow are worth a look when its ports do not say DNS. */
export const NAMED_WITHIN_PACKETS = 8;

/** Whether a flow's ports say DNS, so that every packet of it may bring answers. */
export function isDnsPort(originatorPort: number, responderPort: number): boolean {
  return responderPort === DNS_PORT || responderPort === MDNS_PORT || responderPort === LLMNR_PORT
    ? true
    : originatorPort === MDNS_PORT || originatorPort === DNS_PORT;
}

const NO_ANSWERS: readonly NamedAddress[] = [];

function answersOf(message: DnsMessage | undefined): readonly NamedAddress[] {
  const isAnswer = message?.isResponse && message.opcode === OPCODE_QUERY && message.rcode === RCODE_OK;
  return isAnswer ? askedAddresses(message) : NO_ANSWERS;
}

/** The answers in a message; one that only asks is not even parsed. */
function answersIn(buffer: Uint8Array, offset: number, length: number, isMulticast: boolean): readonly NamedAddress[] {
  if (length < 3 || ((buffer[offset + 2] as number) & 0x80) === 0) return NO_ANSWERS;
  return answersOf(parseDnsMessage(buffer, offset, length, isMulticast));
}

/** Off the DNS ports only what leaves no doubt is taken for a DNS answer: it has one question and fills the payload. */
function isSurelyDnsAnswer(buffer: Uint8Array, offset: number, length: number): boolean {
  if (length < 29) return false;
  const isPlainAnswer =
    ((buffer[offset + 2] as number) & 0xf8) === 0x80 && ((buffer[offset + 3] as number) & 0x4f) === 0;
  const isOneQuestion = buffer[offset + 4] === 0 && buffer[offset + 5] === 1;
  const isAnswered = buffer[offset + 6] === 0 && buffer[offset + 7] !== 0;
  return isPlainAnswer && isOneQuestion && isAnswered;
}

/**
 * Finds names in the first payloads of flows. Nothing is allocated for a payload that tells none. What spreads over
 * several packets is put together in a bounded number of slots; when they are all taken, the oldest is given up.
 * Flows are told apart by a number of the caller's choice, who calls `close` before he gives it to another flow.
 */
export class PayloadObserver {
  readonly #starts: StreamStarts;
  readonly #quicKeys: (InitialKeys | undefined)[];
  readonly #scratch: Uint8Array<ArrayBuffer>;

  #quicSecond = 0;
  #quicInSecond = 0;

  /**
   * @param slots how many unfinished streams are held, `slotBytes` each
   * @param quicPerSecond how many QUIC datagrams are decrypted in one second of packet time. Each costs some 60 us, so a flood
   * of them would take the time that counting needs; those beyond it name nothing.
   */
  constructor(
    slots = 256,
    slotBytes = 4096,
    readonly quicPerSecond = 5000,
  ) {
    this.#starts = new StreamStarts(slots, slotBytes);
    this.#quicKeys = Array<InitialKeys | undefined>(slots).fill(undefined);
    this.#scratch = new Uint8Array(slotBytes);
  }

  /** Whether a TCP payload of an originator begins a request that may name the server, or goes on with one. Quick. */
  mayBeRequest(flow: number, buffer: Uint8Array, offset: number, length: number): boolean {
    return this.#starts.has(flow) || isTlsStart(buffer, offset, length) || isHttpStart(buffer, offset, length);
  }

  /**
   * Looks at one transport payload in buffer[offset, offset + length), which must lie within the buffer.
   * @param flow a whole number from 0 on
   * @param sequence the TCP sequence number of the payload's first byte; unused for UDP
   * @param timeUs when the packet was seen
   */
  observe(
    flow: number,
    protocol: number,
    originatorPort: number,
    responderPort: number,
    isFromOriginator: boolean,
    sequence: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    timeUs: number,
  ): NameSighting | undefined {
    if (length <= 0) return undefined;
    if (protocol === TCP) {
      if (isDnsPort(originatorPort, responderPort)) {
        return isFromOriginator ? undefined : this.#dnsStream(flow, sequence, buffer, offset, length);
      }
      return isFromOriginator ? this.#requestStream(flow, sequence, buffer, offset, length) : undefined;
    }
    if (protocol !== UDP) return undefined;
    if (isDnsPort(originatorPort, responderPort)) {
      const isMulticast = originatorPort === MDNS_PORT || responderPort === MDNS_PORT;
      return this.#dnsSighting(answersIn(buffer, offset, length, isMulticast));
    }
    if (isFromOriginator) {
      if (isQuicLongHeader(buffer, offset, length)) {
        return this.#mayDecrypt(timeUs) ? this.#quic(flow, buffer, offset, length) : undefined;
      }
      return buffer[offset] === 22 ? this.#dtls(flow, buffer, offset, length) : undefined;
    }
    if (!isSurelyDnsAnswer(buffer, offset, length)) return undefined;
    const message = parseDnsMessage(buffer, offset, length);
    return message?.isWhole && message.byteLength === length ? this.#dnsSighting(answersOf(message)) : undefined;
  }

  /** Forgets what was held for a flow that ended. */
  close(flow: number): void {
    this.#starts.close(flow);
  }

  #dnsSighting(answers: readonly NamedAddress[]): NameSighting | undefined {
    return answers.length === 0 ? undefined : { kind: "dns-answers", answers };
  }

  /** DNS over TCP: each message has its length in two bytes before it; only the stream's first `slotBytes` are read. */
  #dnsStream(flow: number, sequence: number, from: Uint8Array, at: number, count: number): NameSighting | undefined {
    let buffer = from;
    let offset = at;
    let length = count;
    let slot = this.#starts.find(flow);
    const already = slot < 0 ? 0 : this.#starts.baseOf(slot);
    if (slot >= 0) {
      length = this.#starts.write(slot, (sequence - already) | 0, from, at, count);
      buffer = this.#starts.bytes;
      offset = this.#starts.offsetOf(slot);
    }
    const answers: NamedAddress[] = [];
    const end = offset + length;
    let message = offset;
    while (message + 2 <= end) {
      const size = ((buffer[message] as number) << 8) | (buffer[message + 1] as number);
      if (size === 0 || message + 2 + size > end) break;
      answers.push(...answersIn(buffer, message + 2, size, false));
      message += 2 + size;
    }
    if (message < end || slot >= 0) {
      // The rest is held under its own sequence number, so that no message is told twice.
      const consumed = message - offset;
      const rest = this.#scratch.subarray(0, Math.min(end - message, this.#scratch.length));
      rest.set(buffer.subarray(message, message + rest.length));
      if (consumed > 0 || slot < 0) {
        const base = slot < 0 ? sequence : already;
        slot = this.#starts.open(flow, (base + consumed) >>> 0);
        this.#starts.write(slot, 0, rest, 0, rest.length);
      }
    }
    return this.#dnsSighting(answers);
  }

  #searchRequest(buffer: Uint8Array, offset: number, length: number): NameSearch {
    return buffer[offset] === 22
      ? searchTlsStream(buffer, offset, length, this.#scratch)
      : searchHttpHost(buffer, offset, length);
  }

  #requestSighting(flow: number, slot: number, search: NameSearch, isTls: boolean): NameSighting | undefined {
    if (search.kind === "incomplete") return undefined;
    if (slot >= 0) this.#starts.close(flow);
    return search.kind === "name"
      ? { kind: "name", name: search.name, source: isTls ? "sni" : "http-host" }
      : undefined;
  }

  #requestStream(
    flow: number,
    sequence: number,
    from: Uint8Array,
    at: number,
    count: number,
  ): NameSighting | undefined {
    const { bytes } = this.#starts;
    let slot = this.#starts.find(flow);
    if (slot >= 0) {
      const length = this.#starts.write(slot, (sequence - this.#starts.baseOf(slot)) | 0, from, at, count);
      const offset = this.#starts.offsetOf(slot);
      return this.#requestSighting(flow, slot, this.#searchRequest(bytes, offset, length), bytes[offset] === 22);
    }
    if (!isTlsStart(from, at, count) && !isHttpStart(from, at, count)) return undefined;
    const search = this.#searchRequest(from, at, count);
    if (search.kind === "incomplete") {
      slot = this.#starts.open(flow, sequence);
      this.#starts.write(slot, 0, from, at, count);
    }
    return this.#requestSighting(flow, slot, search, from[at] === 22);
  }

  #dtls(flow: number, from: Uint8Array, at: number, count: number): NameSighting | undefined {
    const fragment = readDtlsFragment(from, at, count);
    if (fragment === undefined) return undefined;
    let slot = this.#starts.find(flow);
    if (slot < 0 || this.#starts.baseOf(slot) !== fragment.bodyLength)
      slot = this.#starts.open(flow, fragment.bodyLength);
    const length = this.#starts.write(slot, fragment.position, from, fragment.at, fragment.length);
    const search = searchDtlsBody(this.#starts.bytes, this.#starts.offsetOf(slot), length, fragment.bodyLength);
    return this.#requestSighting(flow, slot, search, true);
  }

  #mayDecrypt(timeUs: number): boolean {
    const second = Math.floor(timeUs / 1_000_000);
    if (second !== this.#quicSecond) {
      this.#quicSecond = second;
      this.#quicInSecond = 0;
    }
    return ++this.#quicInSecond <= this.quicPerSecond;
  }

  #quic(flow: number, from: Uint8Array, at: number, count: number): NameSighting | undefined {
    let slot = this.#starts.find(flow);
    const isNew = slot < 0;
    let length = 0;
    const known = isNew ? undefined : this.#quicKeys[slot];
    const keys = readQuicInitials(from, at, count, known, (position, buffer, offset, bytes) => {
      if (slot < 0) slot = this.#starts.open(flow, 0);
      length = this.#starts.write(slot, position, buffer, offset, bytes);
    });
    if (slot < 0) return undefined;
    this.#quicKeys[slot] = keys;
    const search = searchHandshake(this.#starts.bytes, this.#starts.offsetOf(slot), length);
    return this.#requestSighting(flow, slot, search, true);
  }
}
