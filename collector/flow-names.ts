import { parseAddress } from "../model/address.js";
import type { AddressTable } from "./address-table.js";
import {
  ADDRESS_HIGH,
  ADDRESS_LOW,
  FAMILY6,
  LOOKED_MASK,
  LOOKED_SHIFT,
  META,
  ORIGINATOR_IS_HIGH,
  PORTS,
  SLOT_WORDS,
  STATE,
} from "./flow-slot.js";
import type { FlowTable } from "./flow-table.js";
import type { Packet } from "./layers/packet.js";
import { SYN } from "./layers/tcp.js";
import { NameLists, NO_NAMES } from "./name-lists.js";
import { NameCache } from "./names/name-cache.js";
import { isDnsPort, NAMED_WITHIN_PACKETS, PayloadObserver } from "./names/observe-payload.js";

const TCP = 6;
const UDP = 17;

const MAX_TEXTS = 16_384;

/** The state of a flow one more payload of which was looked at. */
function countLook(state: number): number {
  const looked = ((state & LOOKED_MASK) >> LOOKED_SHIFT) + 1;
  return looked >= NAMED_WITHIN_PACKETS ? state | LOOKED_MASK : (state & ~LOOKED_MASK) | (looked << LOOKED_SHIFT);
}

/**
 * Gives flows the names of their responders: what a flow's own first payloads say, and what DNS answers had told its
 * originator before it began.
 */
export class FlowNames {
  readonly lists = new NameLists();
  private readonly observer = new PayloadObserver();
  private answers = new NameCache(this.lists);
  private isTold = false; // whether there was any answer
  private readonly wordOfText = new Map<string, number>(); // answers name the same servers again and again
  private readonly bytes = new Uint8Array(16);

  constructor(
    private readonly addresses: AddressTable,
    private readonly table: () => FlowTable,
  ) {}

  /** Names a flow that just began by the answers that its originator was given. */
  begin(slot: number, timeUs: number): void {
    if (!this.isTold) return;
    const table = this.table();
    const { words } = table;
    const at = slot * SLOT_WORDS;
    const meta = words[at + META]!;
    const isHigh = (words[at + STATE]! & ORIGINATOR_IS_HIGH) !== 0;
    const client = this.keyOf(meta, words[at + (isHigh ? ADDRESS_HIGH : ADDRESS_LOW)]!);
    const server = this.keyOf(meta, words[at + (isHigh ? ADDRESS_LOW : ADDRESS_HIGH)]!);
    const names = this.answers.lookup(client, server, timeUs);
    if (names !== NO_NAMES) table.setNames(slot, names);
  }

  /** A number that is equal for equal addresses of one scope: the word itself for plain IPv4, as small numbers are fast. */
  private keyOf(meta: number, word: number): number {
    return meta >>> 8 === 0 ? word : (meta >>> 8) * 0x1_0000_0000 + (word >>> 0);
  }

  /** Looks at the payload of the packet at hand. Only called while the slot's LOOKED bits are not all set. */
  look(slot: number, packet: Packet, isFromHigh: boolean): void {
    const table = this.table();
    const { words } = table;
    const at = slot * SLOT_WORDS;
    const state = words[at + STATE]!;
    const { protocol, payloadAt } = packet;
    if (protocol !== TCP && protocol !== UDP) {
      words[at + STATE] = state | LOOKED_MASK;
      return;
    }
    const isHigh = (state & ORIGINATOR_IS_HIGH) !== 0;
    const isFromOriginator = isFromHigh === isHigh;
    const ports = words[at + PORTS]!;
    const originatorPort = isHigh ? ports & 0xffff : ports >>> 16;
    const responderPort = isHigh ? ports >>> 16 : ports & 0xffff;
    const isDns = isDnsPort(originatorPort, responderPort);
    const length = packet.payloadEnd - payloadAt;
    if (
      protocol === TCP &&
      !isDns &&
      !(isFromOriginator && this.observer.mayBeRequest(slot, packet.bytes, payloadAt, length))
    ) {
      words[at + STATE] = countLook(state);
      return;
    }
    const sequence = (packet.tcpFlags & SYN) !== 0 ? (packet.sequence + 1) | 0 : packet.sequence;
    const sighting = this.observer.observe(
      slot,
      protocol,
      originatorPort,
      responderPort,
      isFromOriginator,
      sequence >>> 0,
      packet.bytes,
      payloadAt,
      length,
      packet.timeUs,
    );
    if (sighting?.kind === "name") {
      const { name, source } = sighting;
      const known = this.lists.at(table.namesOf(slot));
      table.setNames(slot, this.lists.idOf([{ name, source }, ...known]));
      words[at + STATE] = state | LOOKED_MASK;
      return;
    }
    if (sighting?.kind === "dns-answers") {
      const meta = words[at + META]!;
      // What is sent to a group is told to everybody.
      const isToGroup = this.addresses.isGroup(packet.family, packet.destination);
      const client = isToGroup ? undefined : this.keyOf(meta, words[at + (isHigh ? ADDRESS_HIGH : ADDRESS_LOW)]!);
      for (const { name, address, ttlSeconds } of sighting.answers)
        this.learn(meta, client, name, address, ttlSeconds, packet.timeUs);
    }
    if (!isDns) words[at + STATE] = countLook(state); // every packet of DNS may bring answers
  }

  private learn(
    meta: number,
    client: number | undefined,
    name: string,
    address: string,
    ttlSeconds: number,
    timeUs: number,
  ): void {
    this.isTold = true;
    let server = this.wordOfText.get(address);
    if (server === undefined) {
      server = this.parse(address);
      if (this.wordOfText.size >= MAX_TEXTS) this.wordOfText.clear();
      this.wordOfText.set(address, server);
    }
    const scope = (meta & ~(FAMILY6 | 255)) | (address.includes(":") ? FAMILY6 : 0);
    this.answers.learn(client, this.keyOf(scope, server), name, ttlSeconds, timeUs);
  }

  private parse(address: string): number {
    const { family, value } = parseAddress(address);
    if (family === 4) return Number(value) | 0;
    for (let i = 15, rest = value; i >= 0; i--, rest >>= 8n) this.bytes[i] = Number(rest & 255n);
    return this.addresses.intern(this.bytes, 0);
  }

  /** Forgets what was held for a flow that ended. */
  end(slot: number): void {
    this.observer.close(slot);
  }

  /** Forgets all answers: the numbers of IPv6 addresses begin anew. */
  clear(): void {
    this.lists.clear();
    this.answers = new NameCache(this.lists);
    this.isTold = false;
    this.wordOfText.clear();
  }
}
