import type { FlowRecord } from "../../../model/flow-record.js";
import { asTupleFlow, innermost } from "./our-flows.js";
import { type TupleFlow, type TupleTotals, totalsByTuple } from "./tuple-flows.js";

/** Which IP header of a packet a program makes flows of. */
export type Layer = "outer" | "inner" | "all";

export interface Comparison {
  readonly what: "tuples" | "nothing invented" | "direction observed" | "direction guessed" | "packets" | "bytes";
  readonly problem: { readonly category: string; readonly detail: string } | undefined;
}

function few(texts: readonly string[]): string {
  const shown = texts.slice(0, 4).join("; ");
  return texts.length > 4 ? `${shown}; and ${texts.length - 4} more` : shown;
}

const WITH_PORTS = new Set(["6", "17", "132"]);

/** Only protocols with ports are judged when something is ours alone: programs differ in which others they list. */
function isJudged({ key }: TupleTotals): boolean {
  return WITH_PORTS.has(key.slice(0, key.indexOf(" ")));
}

/** Compares by undirected tuple first, then direction and counts of those that both have. */
export function compareFlows(flows: readonly FlowRecord[], theirs: readonly TupleFlow[], layer: Layer): Comparison[] {
  // A flow around another is neither invented nor comparable in counts when the program looked through it.
  const inner = innermost(flows);
  const chosen = layer === "all" ? flows : layer === "inner" ? inner : inner.filter(({ depth }) => depth === 0);
  const everything = totalsByTuple(flows.map(asTupleFlow));
  const ours = totalsByTuple(chosen.map(asTupleFlow));
  const expected = totalsByTuple(theirs);
  const missing = [...expected.keys()].filter((key) => !everything.has(key));
  const extra = [...ours.values()].filter((total) => isJudged(total) && !expected.has(total.key)).map(({ key }) => key);
  const turned: string[] = [];
  const guessed: string[] = [];
  const packets: string[] = [];
  const bytes: string[] = [];
  let counted = 0;
  let weighed = 0;
  for (const [key, theirTotal] of expected) {
    const total = ours.get(key);
    if (total === undefined) continue;
    const isOneWay = theirTotal.originators.size === 1 && total.originators.size === 1;
    const isTurned = isOneWay && [...theirTotal.originators][0] !== [...total.originators][0];
    if (isTurned) (total.isObserved ? turned : guessed).push(key);
    if (theirTotal.packetsLow !== undefined && theirTotal.packetsHigh !== undefined) {
      counted++;
      if (total.packetsLow !== theirTotal.packetsLow || total.packetsHigh !== theirTotal.packetsHigh) {
        packets.push(
          `${key}: ${total.packetsLow}+${total.packetsHigh} not ${theirTotal.packetsLow}+${theirTotal.packetsHigh}`,
        );
      }
    }
    if (theirTotal.bytesLow !== undefined && theirTotal.bytesHigh !== undefined) {
      weighed++;
      if (total.bytesLow !== theirTotal.bytesLow || total.bytesHigh !== theirTotal.bytesHigh) {
        bytes.push(`${key}: ${total.bytesLow}+${total.bytesHigh} not ${theirTotal.bytesLow}+${theirTotal.bytesHigh}`);
      }
    }
  }
  const problem = (category: string, texts: readonly string[]) =>
    texts.length === 0 ? undefined : { category, detail: few(texts) };
  return [
    { what: "tuples", problem: problem("tuples missing", missing) },
    { what: "nothing invented", problem: problem("tuples of ours alone", extra) },
    { what: "direction observed", problem: problem("other originator, observed", turned) },
    { what: "direction guessed", problem: problem("other originator, guessed", guessed) },
    ...(counted === 0 ? [] : [{ what: "packets", problem: problem("packets differ", packets) } as const]),
    ...(weighed === 0 ? [] : [{ what: "bytes", problem: problem("bytes differ", bytes) } as const]),
  ];
}
