import assert from "node:assert/strict";
import test from "node:test";
import { streamError } from "../../../stream/kafka/kafka-errors.js";

/** An error as Kafka's client makes it. */
const failure = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

const refusal = (type: string, retriable: boolean) =>
  failure("KafkaJSAggregateError", "Topic creation errors", {
    errors: [failure("KafkaJSCreateTopicError", `because of ${type}`, { type, retriable })],
  });

const cases: readonly [what: string, error: Error, code: string, isRetriable: boolean, line: string][] = [
  ["a broker that is slow to make a topic", refusal("REQUEST_TIMED_OUT", true), "failed", true, "REQUEST_TIMED_OUT"],
  [
    "brokers that do not count yet",
    refusal("INVALID_REPLICATION_FACTOR", false),
    "failed",
    true,
    "INVALID_REPLICATION_FACTOR",
  ],
  ["a setting nobody takes", refusal("INVALID_CONFIG", false), "failed", false, "INVALID_CONFIG"],
  [
    "a user without the right to make topics",
    refusal("TOPIC_AUTHORIZATION_FAILED", false),
    "refused",
    false,
    "TOPIC_AUTHORIZATION_FAILED",
  ],
];

for (const [what, error, code, isRetriable, line] of cases) {
  test(`${what} is told by its own words, and tried again: ${isRetriable}`, () => {
    const told = streamError('Cannot make topic "portolan.flows"', ["kafka-1:9092"], error);
    assert.deepEqual(
      [told.code, told.isRetriable, told.message],
      [code, isRetriable, `Cannot make topic "portolan.flows": because of ${line}`],
    );
  });
}
