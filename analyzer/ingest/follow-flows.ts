import type { FlowBatch } from "../../model/flow-batch.js";
import { decodeFlowBatch, FlowBatchError } from "../../model/flow-batch-codec.js";
import type { Carrier } from "../../stream/carrier.js";

/** Where flow batches go: an analyzer. */
export interface FlowSink {
  ingest(batch: FlowBatch): Promise<void>;
  flush(): Promise<void>;
}

export interface FollowedFlows {
  /** Messages that were no flow batch and have been passed over. */
  damaged(): number;
  /** Handles what was sent before, takes no more messages, and stores everything. @throws {StoreError} */
  drain(): Promise<void>;
}

/** Header of the message that marks the end for `drain`. */
const END_HEADER = "portolan-end";

/**
 * Feeds the flow batches of a carrier into a sink, one after the other: the sink's waiting is the carrier's back-pressure.
 * A message that is no flow batch is counted and passed over, since it would be none the next time either.
 */
export async function followFlows(carrier: Carrier, sink: FlowSink): Promise<FollowedFlows> {
  let damaged = 0;
  let end: { readonly reached: () => void; readonly failed: (error: unknown) => void } | undefined;
  const subscription = await carrier.subscribe("portolan.flows", {
    positions: async () => new Map(),
    async handle(message) {
      if (message.headers[END_HEADER] !== undefined) {
        end?.reached();
        return;
      }
      let batch: FlowBatch;
      try {
        batch = decodeFlowBatch(message.value);
      } catch (error) {
        if (!(error instanceof FlowBatchError)) throw error;
        damaged++;
        return;
      }
      try {
        await sink.ingest(batch);
      } catch (error) {
        // The carrier brings the message again, except at the end, when somebody waits and must be told.
        end?.failed(error);
        throw error;
      }
    },
  });
  return {
    damaged: () => damaged,
    async drain() {
      // What was sent before this message has been handled when it arrives.
      const ended = new Promise<void>((reached, failed) => {
        end = { reached, failed };
      });
      ended.catch(() => {});
      const mark = { key: "", value: new Uint8Array(0), headers: { [END_HEADER]: "1" } };
      // A full carrier may never take the mark while storing fails, and the failure has to come through all the same.
      const marked = carrier.send("portolan.flows", mark).then(() => ended);
      try {
        await Promise.race([ended, marked]);
      } finally {
        await subscription.close();
      }
      await sink.flush();
    },
  };
}
