import type { EncodedBatch } from "../../../collector/encoded-batch.js";
import type { BatchOrigin } from "../../../model/flow-batch.js";
import { FLOW_LOSS_SCHEMA, type FlowLoss, parseFlowLoss } from "../../../model/flow-loss.js";
import type { Message } from "../../../stream/carrier.js";

interface TestContent {
  readonly origin: BatchOrigin;
  readonly flows: number;
}

const T0 = 1_767_600_000_000_000;
const BYTES_A_FLOW = 40;

/** A batch that says who it is, as long as one of `flows` flows would be; a spool does not look into it. */
export function testBatch(sequence: number, flows = 3, bucket = 0, boot = "boot-1"): EncodedBatch {
  const origin = { collector: "host-1", boot, sequence, bucket };
  const bytes = Buffer.from(JSON.stringify({ origin, flows }).padEnd(1000 + BYTES_A_FLOW * flows));
  const fromUs = T0 + sequence * 1_000_000;
  return { origin, flows, fromUs, untilUs: fromUs + 1_000_000, bytes };
}

const contentOf = (value: Uint8Array) => JSON.parse(Buffer.from(value).toString()) as TestContent;

/** What arrived, as a sentence each: "boot-1/0 #4 (3 flows)" or "boot-1/0 #4-#9 lost (18 flows, spool-full)". */
export function told(messages: readonly Message[]): string[] {
  return messages.map(({ key, value, headers }) => {
    if (headers.schema === FLOW_LOSS_SCHEMA) {
      const { boot, bucket, first, last, flows, reason } = parseFlowLoss(value);
      return `${boot}/${bucket} #${first}-#${last} lost (${flows} flows, ${reason})`;
    }
    const { origin, flows } = contentOf(value);
    return `${origin.boot}/${key} #${origin.sequence} (${flows} flows)`;
  });
}

/** Batches that arrived at least once, and those that are told to be lost. */
export class Accounts {
  readonly arrived = new Map<string, number>(); // "boot/bucket#sequence" -> flows
  readonly lost = new Map<string, FlowLoss>(); // by its first batch: the longer one holds

  take(messages: readonly Message[]): void {
    for (const { value, headers } of messages) {
      if (headers.schema === FLOW_LOSS_SCHEMA) {
        const loss = parseFlowLoss(value);
        const key = `${loss.boot}/${loss.bucket}#${loss.first}`;
        if (loss.last > (this.lost.get(key)?.last ?? -1)) this.lost.set(key, loss);
      } else {
        const { origin, flows } = contentOf(value);
        this.arrived.set(`${origin.boot}/${origin.bucket}#${origin.sequence}`, flows);
      }
    }
  }

  /** What is wrong with them against what was made: "boot/bucket#sequence" -> flows. Empty when each is in one place. */
  faults(made: ReadonlyMap<string, number>): string[] {
    const faults: string[] = [];
    const lostBatches = new Set<string>();
    for (const { boot, bucket, first, last, flows } of this.lost.values()) {
      let sum = 0;
      for (let sequence = first; sequence <= last; sequence++) {
        const key = `${boot}/${bucket}#${sequence}`;
        if (lostBatches.has(key)) faults.push(`${key} is lost twice`);
        if (this.arrived.has(key)) faults.push(`${key} is lost and arrived`);
        lostBatches.add(key);
        sum += made.get(key) ?? 0;
      }
      if (sum !== flows) faults.push(`${boot}/${bucket}#${first} to ${last}: ${flows} flows told, ${sum} made`);
    }
    for (const [key, flows] of made) {
      if (!lostBatches.has(key) && this.arrived.get(key) !== flows) faults.push(`${key} is nowhere`);
    }
    return faults;
  }
}
