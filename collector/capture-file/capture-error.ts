/**
 * - `not-a-capture`: the first bytes are neither pcap nor pcapng. `empty`: there are no bytes at all.
 * - `truncated`: the file ends inside a record. `damaged`: a record claims a length that no capture has.
 * - `unknown-link-type`: packets of a kind that we cannot take apart. `unreadable`: the system would not give the bytes.
 */
export type CaptureErrorCode = "not-a-capture" | "empty" | "truncated" | "damaged" | "unknown-link-type" | "unreadable";

/** The one error of reading captures. `message` is one line for people: what, which file, where, what was wanted. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";

  constructor(
    readonly code: CaptureErrorCode,
    readonly file: string,
    readonly offset: number, // bytes from the start of the (decompressed) file
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
