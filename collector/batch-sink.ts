import { FLOW_BATCH_VERSION } from "../model/flow-batch.js";
import type { Carrier, Message } from "../stream/carrier.js";
import type { BatchSummary, EncodedBatch } from "./encoded-batch.js";

/** Where batches go. */
export interface BatchSink {
  /** Resolves when the batch is safe; while it waits, flows wait in the table. When it rejects, the batch comes again. */
  take(batch: EncodedBatch): Promise<void>;
  /** This batch was made and will not come: memory did not suffice while `take` waited. */
  lose(batch: BatchSummary): void;
}

/** The message that carries the encoded batch of one bucket. */
export function batchMessage(bucket: number, bytes: Uint8Array): Message {
  return { key: String(bucket), value: bytes, headers: { schema: `portolan.flow-batch/${FLOW_BATCH_VERSION}` } };
}

/** Sends each batch at once. What is lost shows as a hole in the sequence. */
export function carrierSink(carrier: Carrier): BatchSink {
  return {
    take: ({ origin, bytes }) => carrier.send("portolan.flows", batchMessage(origin.bucket, bytes)),
    lose() {},
  };
}
