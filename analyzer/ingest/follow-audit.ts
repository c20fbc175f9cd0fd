import { createHash } from "node:crypto";
import { parseVerdictReport } from "../../model/verdict-report.js";
import type { Carrier, ReceivedMessage, Subscription, Topic } from "../../stream/carrier.js";
import { DeadLetters } from "../../stream/dead-letters.js";
import type { AuditDocument } from "../audit/audit-trail.js";
import type { LogPartition, LogPosition } from "../store/intake.js";

/** Where the documents of the audit trail go: an analyzer. */
export interface AuditSink {
  /** Resolves when they are stored. */
  keepAudit(documents: readonly AuditDocument[], positions: readonly LogPosition[]): Promise<void>;
  positions(partitions: readonly LogPartition[]): Promise<readonly LogPosition[]>;
}

/** The document of a message; a policy that was taken back (a tombstone) is none. @throws {SyntaxError} */
function documentOf(topic: Topic, { value, key }: ReceivedMessage, receivedUs: number): AuditDocument {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(value);
  if (topic === "portolan.verdicts") {
    const { enforcer, boot, sequence } = parseVerdictReport(value);
    return { kind: "verdicts", id: `${enforcer}/${boot}/${sequence}`, receivedUs, text };
  }
  return { kind: "policy", id: `${key}/${createHash("sha256").update(value).digest("hex")}`, receivedUs, text };
}

/**
 * Keeps what enforcers report and what is published for them, each document once, with the position behind it in the same
 * transaction. Every analyzer keeps all of it: an audit trail in parts would prove nothing.
 */
export async function followAudit(
  carrier: Carrier,
  sink: AuditSink,
  say?: (line: string) => void,
): Promise<Subscription> {
  const letters = new DeadLetters(carrier, say);
  const follow = (topic: Topic): Promise<Subscription> => {
    let source = "";
    return carrier.subscribe(topic, {
      async positions(of, partitions) {
        source = of;
        const stored = await sink.positions(partitions.map((partition) => ({ source, topic, partition })));
        return new Map(stored.map(({ partition, next }) => [partition, next]));
      },
      async handle(message) {
        const receivedUs = message.timestampMs * 1000;
        const isTombstone = message.value.length === 0;
        const document = isTombstone
          ? undefined
          : await letters.read(message, (readable) => documentOf(topic, readable, receivedUs));
        const { partition, offset } = message;
        const position = { source, topic, partition, next: offset + 1n, reachedUs: receivedUs };
        await sink.keepAudit(document === undefined ? [] : [document], [position]);
      },
    });
  };
  const followed = await Promise.all([follow("portolan.verdicts"), follow("portolan.policies")]);
  return {
    async close() {
      await Promise.all(followed.map((subscription) => subscription.close()));
    },
  };
}
