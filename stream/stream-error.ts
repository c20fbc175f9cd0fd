export type StreamErrorCode = "unreachable" | "refused" | "setting" | "too-large" | "failed" | "closed";

/**
 * Why a carrier could not do what it was asked; `code` is a contract. `isRetriable`: the same may succeed later
 * without anybody changing a setting.
 *
 *     unreachable   no broker answered in time                      retriable
 *     refused       the broker refuses the login or the right to do it
 *     setting       a setting is wrong, or a file it names cannot be read
 *     too-large     the message is over the bound of its topic
 *     failed        the broker answered with another error          retriable where Kafka says so
 *     closed        the carrier was closed
 */
export class StreamError extends Error {
  constructor(
    readonly code: StreamErrorCode,
    message: string,
    readonly isRetriable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "StreamError";
  }
}
