import { StreamError } from "../stream-error.js";

/** An error and what is behind it; of one that stands for several, the first of them. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let each = error; each instanceof Error && !causes.includes(each); ) {
    causes.push(each);
    each = "errors" in each && Array.isArray(each.errors) ? each.errors[0] : each.cause;
  }
  return causes;
}

const REFUSALS = /AUTHENTICATION|AUTHORIZATION|UNSUPPORTED_SASL|ILLEGAL_SASL|SECURITY_DISABLED/;
const LATE = /ConnectionError|ConnectionClosed|RequestTimeout|NoBrokerAvailable|BrokerNotFound|LockTimeout|Timeout/;

/** What went wrong, as a StreamError: told by the names that kafkajs and the Kafka protocol give to errors. */
export function streamError(what: string, brokers: readonly string[], error: unknown): StreamError {
  if (error instanceof StreamError) return error;
  const causes = causesOf(error);
  const [last] = causes.slice(-1);
  const message = `${what}: ${last?.message ?? String(error)}`;
  const has = (pattern: RegExp) =>
    causes.some((cause) => pattern.test(cause.name) || ("type" in cause && pattern.test(String(cause.type))));
  if (has(REFUSALS) || has(/SASLAuthentication/)) return new StreamError("refused", message, false, { cause: error });
  if (has(/^(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE)$/)) {
    return new StreamError("too-large", message, false, { cause: error });
  }
  if (has(LATE)) {
    const where = `Cannot reach Kafka at ${brokers.join(", ")}: ${last?.message ?? String(error)}`;
    return new StreamError("unreachable", where, true, { cause: error });
  }
  // Brokers that are only starting do not count for copies yet.
  const isRetriable =
    causes.some((cause) => "retriable" in cause && cause.retriable === true) || has(/^INVALID_REPLICATION_FACTOR$/);
  return new StreamError("failed", message, isRetriable, { cause: error });
}
