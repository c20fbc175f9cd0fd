import { NO_ICMP, type Packet } from "./layers/packet.js";

const BUCKETS = 1024;
const WAYS = 4;
const WORDS = 10;

const SOURCE = 0;
const DESTINATION = 1;
const META = 2;
const ID = 3;
const PORTS = 4;
const ICMP = 5;
const STATE = 6; // free, waiting for the first fragment, or knowing its ports
const PACKETS = 7; // that wait
const BYTES = 8;
const SECONDS = 9;

const FREE = 0;
const WAITING = 1;
const KNOWN = 2;

/** A datagram's fragments arrive within this, or not at all: RFC 8200 asks 60 s. */
const LIFETIME_SECONDS = 60;

/**
 * Only a datagram's first fragment has ports. The table remembers them for the later ones, and counts later ones that
 * overtook the first. It holds 4096 datagrams in buckets of 4, where the oldest gives way.
 */
export class FragmentTable {
  private readonly words = new Int32Array(BUCKETS * WAYS * WORDS);
  private waiting = 0;
  /** What waited for a first fragment that did not come. */
  private orphaned = 0;

  /** Row of the packet's datagram, its own or one to be taken over. */
  private find(packet: Packet, meta: number): number {
    const { words } = this;
    const seconds = Math.floor(packet.timeUs / 1_000_000) | 0;
    let h = Math.imul(packet.source ^ Math.imul(packet.destination, 0x9e3779b1), 0x85ebca6b);
    h = Math.imul(h ^ packet.fragmentId ^ (h >>> 13), 0xc2b2ae35);
    const bucket = ((h ^ (h >>> 16)) & (BUCKETS - 1)) * WAYS * WORDS;
    let oldest = bucket;
    for (let way = 0; way < WAYS; way++) {
      const at = bucket + way * WORDS;
      if (
        words[at + STATE] !== FREE &&
        words[at + SOURCE] === packet.source &&
        words[at + DESTINATION] === packet.destination &&
        words[at + META] === meta &&
        words[at + ID] === packet.fragmentId &&
        Math.abs(seconds - words[at + SECONDS]!) <= LIFETIME_SECONDS
      ) {
        return at;
      }
      if (words[at + STATE] === FREE) oldest = at;
      else if (words[oldest + STATE] !== FREE && words[at + SECONDS]! < words[oldest + SECONDS]!) oldest = at;
    }
    this.abandon(oldest);
    words[oldest + SOURCE] = packet.source;
    words[oldest + DESTINATION] = packet.destination;
    words[oldest + META] = meta;
    words[oldest + ID] = packet.fragmentId;
    words[oldest + SECONDS] = seconds;
    return oldest;
  }

  private abandon(at: number): void {
    if (this.words[at + STATE] === WAITING) {
      this.orphaned += this.words[at + PACKETS]!;
      this.waiting -= this.words[at + PACKETS]!;
    }
    this.words[at + STATE] = FREE;
    this.words[at + PACKETS] = 0;
    this.words[at + BYTES] = 0;
  }

  /**
   * Notes the ports of a first fragment. @returns how many packets waited for them; their bytes are `waitedBytes`
   * @param meta what else tells datagrams apart: protocol, family, scope
   */
  learn(packet: Packet, meta: number): number {
    const { words } = this;
    const at = this.find(packet, meta);
    const waited = words[at + STATE] === WAITING ? words[at + PACKETS]! : 0;
    this.waitedBytes = waited === 0 ? 0 : words[at + BYTES]!;
    this.waiting -= waited;
    words[at + STATE] = KNOWN;
    words[at + PORTS] = (packet.sourcePort << 16) | packet.destinationPort;
    words[at + ICMP] = packet.icmp;
    words[at + PACKETS] = 0;
    words[at + BYTES] = 0;
    return waited;
  }

  waitedBytes = 0;

  /** Gives a later fragment its ports, if they are known; else counts it as waiting. */
  recall(packet: Packet, meta: number): boolean {
    const { words } = this;
    const at = this.find(packet, meta);
    if (words[at + STATE] !== KNOWN) {
      words[at + STATE] = WAITING;
      words[at + PACKETS] = words[at + PACKETS]! + 1;
      words[at + BYTES] = words[at + BYTES]! + packet.ipBytes;
      this.waiting++;
      return false;
    }
    const ports = words[at + PORTS]!;
    packet.sourcePort = ports >>> 16;
    packet.destinationPort = ports & 0xffff;
    packet.icmp = packet.protocol === 1 || packet.protocol === 58 ? words[at + ICMP]! : NO_ICMP;
    return true;
  }

  /** How many packets never found their ports since the last call. `isEnd` counts those that still wait. */
  takeOrphans(isEnd: boolean): number {
    if (isEnd) {
      this.orphaned += this.waiting;
      this.waiting = 0;
      this.words.fill(0);
    }
    const count = this.orphaned;
    this.orphaned = 0;
    return count;
  }

  clear(): void {
    this.orphaned += this.waiting;
    this.waiting = 0;
    this.words.fill(0);
  }
}
