import { EVIDENCE, OUTCOMES } from "../model/flow-record.js";
import {
  ABORTED_HIGH,
  ABORTED_LOW,
  EVIDENCE_MASK,
  EVIDENCE_SHIFT,
  ORIGINATOR_IS_HIGH,
  PAYLOAD_HIGH,
  PAYLOAD_LOW,
  REFUSED,
  SYN_ACKED,
} from "./flow-slot.js";
import { ACK, RST } from "./layers/tcp.js";

const ANSWERED = OUTCOMES.indexOf("answered");
const REFUSED_OUTCOME = OUTCOMES.indexOf("refused");
export const UNANSWERED = OUTCOMES.indexOf("unanswered");
export const MIDSTREAM = OUTCOMES.indexOf("midstream");

const REQUEST = EVIDENCE.indexOf("request");
const INIT = EVIDENCE.indexOf("init");
const SYN_ACK = EVIDENCE.indexOf("syn-ack");

const TCP = 6;
const SCTP = 132;

/**
 * How a flow ended, as a position in OUTCOMES; the rules stand at `Outcome` in model/flow-record.ts.
 * @param state the slot's state word, see flow-slot.ts
 */
export function outcomeOf(
  protocol: number,
  state: number,
  originatorPackets: number,
  responderPackets: number,
): number {
  const evidence = (state & EVIDENCE_MASK) >> EVIDENCE_SHIFT;
  const isBothWays = (state & PAYLOAD_LOW) !== 0 && (state & PAYLOAD_HIGH) !== 0;
  if (protocol === TCP) {
    const isHigh = (state & ORIGINATOR_IS_HIGH) !== 0;
    const originatorFlags = (isHigh ? state >> 8 : state) & 255;
    const responderFlags = (isHigh ? state : state >> 8) & 255;
    if (evidence > SYN_ACK) return MIDSTREAM;
    if ((state & SYN_ACKED) !== 0 || isBothWays) return ANSWERED;
    if ((responderFlags & RST) !== 0 || (state & REFUSED) !== 0) return REFUSED_OUTCOME;
    return (originatorFlags & responderFlags & ACK) !== 0 ? ANSWERED : UNANSWERED;
  }
  if (protocol === SCTP) {
    if (evidence > INIT) return MIDSTREAM;
    if ((state & SYN_ACKED) !== 0) return ANSWERED;
    const aborted = (state & ORIGINATOR_IS_HIGH) !== 0 ? ABORTED_LOW : ABORTED_HIGH;
    if ((state & (aborted | REFUSED)) !== 0) return REFUSED_OUTCOME;
    return originatorPackets > 1 && responderPackets > 0 ? ANSWERED : UNANSWERED;
  }
  if (responderPackets > 0) {
    // A reply whose question we did not see is only believed when it says itself that it is one.
    return originatorPackets > 0 || evidence <= REQUEST ? ANSWERED : MIDSTREAM;
  }
  return (state & REFUSED) !== 0 ? REFUSED_OUTCOME : UNANSWERED;
}
