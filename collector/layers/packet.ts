import type { AddressTable } from "../address-table.js";
import { ROOT_SCOPE, type ScopeTable } from "../scope-table.js";
import { DONE, NOT_IP } from "./layer.js";

export const WHOLE = 0;
export const FIRST_FRAGMENT = 1;
export const LATER = 2;

/** What is not an ICMP message. */
export const NO_ICMP = -1;

/**
 * The one packet that is being taken apart; reused for all, so that none costs an object. Offsets point into `bytes`:
 *
 *     at ............ end ............ wireEnd
 *     not yet read    not captured
 *
 * `end` shrinks as length fields are met, so that padding and trailers are never taken for data.
 */
export class Packet {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  wireEnd = 0;
  timeUs = 0;

  fault = -1; // a DROP_REASONS position once something went wrong
  scope = ROOT_SCOPE; // what encloses the layer at hand
  ipLayers = 0; // IP headers met so far
  hint = 0; // what one layer has to tell the next, e.g. an EtherType

  // The IP packet at hand.
  family = 4;
  source = 0; // see AddressTable
  destination = 0;
  protocol = 0;
  ipBytes = 0;
  fragment = WHOLE;
  fragmentId = 0;

  // Its transport.
  sourcePort = 0;
  destinationPort = 0;
  tcpFlags = 0;
  sequence = 0; // TCP sequence number
  payloadAt = 0;
  payloadEnd = 0;
  icmp = NO_ICMP; // type << 8 | code

  constructor(
    readonly addresses: AddressTable,
    readonly scopes: ScopeTable,
  ) {}

  begin(bytes: Uint8Array, start: number, capturedLength: number, wireLength: number, timeUs: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = start + capturedLength;
    this.wireEnd = start + wireLength;
    this.timeUs = timeUs;
    this.fault = -1;
    this.scope = ROOT_SCOPE;
    this.ipLayers = 0;
    this.hint = 0;
  }

  u16(at: number): number {
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  /** As a signed word. */
  i32(at: number): number {
    const b = this.bytes;
    return (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
  }

  /** Gives up with a reason. Written so that a layer can `return packet.fail(TRUNCATED)`. */
  fail(reason: number): number {
    this.fault = reason;
    return DONE;
  }

  /** Ends with a packet that carries no IP here, which only counts as dropped when no IP layer was met before. */
  notIp(): number {
    if (this.ipLayers === 0) this.fault = NOT_IP;
    return DONE;
  }

  /**
   * Whether an inner packet of `length` bytes at `at` is longer than what encloses it, and so is not a packet but bytes
   * that look like one. Of the outermost the capture's word is no proof, and a fragment encloses a part only.
   */
  isBeyondEnclosing(length: number): boolean {
    return this.ipLayers > 0 && this.fragment === WHOLE && this.at + length > this.wireEnd;
  }

  /** Notes one more enclosing hop below IP. `id` is -1 where the format has none. */
  enterLink(kind: number, id: number): void {
    this.scope = this.scopes.enter(this.scope, kind, id, 0, 0, 0);
  }

  /** Notes that the IP packet at hand encloses what follows. */
  enterTunnel(kind: number, id: number): void {
    this.scope = this.scopes.enter(this.scope, kind, id, this.family, this.source, this.destination);
  }
}
