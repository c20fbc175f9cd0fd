/**
 * Layout of one flow in the table: 16 words of 32 bits, one cache line. Doubles lie at even words and are reached
 * through a Float64Array over the same memory at `slot * 8 + X_F64`.
 *
 *     word  0  lower side's address          8-9   bytes from the lower side (double)
 *           1  upper side's address         10-11  bytes from the upper side (double)
 *           2  ports (lower << 16 | upper)  12     packets from the lower side
 *              or the ICMP key              13     packets from the upper side
 *           3  scope key, family, protocol  14     state, see below
 *         4-5  time of the first packet     15     scope
 *         6-7  time of the last packet
 *
 * "Lower" and "upper" is the order of (address word, port), so that both directions find one slot.
 */
export const SLOT_WORDS = 16;
export const SLOT_DOUBLES = 8;

export const ADDRESS_LOW = 0;
export const ADDRESS_HIGH = 1;
export const PORTS = 2;
export const META = 3;
export const START_F64 = 2;
export const END_F64 = 3;
export const BYTES_LOW_F64 = 4;
export const BYTES_HIGH_F64 = 5;
export const PACKETS_LOW = 12;
export const PACKETS_HIGH = 13;
export const STATE = 14;
export const SCOPE = 15;

/** The state word: TCP flags of the lower side in bits 0-7, of the upper side in bits 8-15, then these. */
export const ORIGINATOR_IS_HIGH = 1 << 16;
export const EVIDENCE_SHIFT = 17; // 3 bits, position in EVIDENCE
export const EVIDENCE_MASK = 7 << EVIDENCE_SHIFT;
export const SYN_ACKED = 1 << 20; // SYN with ACK, or SCTP INIT ACK, was seen
export const PAYLOAD_LOW = 1 << 21;
export const PAYLOAD_HIGH = 1 << 22;
export const REFUSED = 1 << 23; // an ICMP error said so
export const LOOKED_SHIFT = 24; // 4 bits: payloads looked at for names
export const LOOKED_MASK = 15 << LOOKED_SHIFT;
export const ABORTED_LOW = 1 << 28; // SCTP ABORT from the lower side
export const ABORTED_HIGH = 1 << 29;
export const SHUT = 1 << 30; // SCTP SHUTDOWN COMPLETE
export const FIRST_FROM_HIGH = 1 << 31; // who sent the first packet, which the scope was taken from

/** The meta word: protocol in bits 0-7, bit 8 for IPv6, the scope's key above. */
export const FAMILY6 = 256;
export const SCOPE_KEY_SHIFT = 9;
export const MAX_SCOPE_KEYS = 1 << 22;
