/** - `in-use`: another process has the spool. `failed`: the folder cannot be used at all. */
export type SpoolErrorCode = "in-use" | "failed";

/** Why a spool cannot be opened. `message` is one line for people. Once open, trouble of the disk is a state, see SpoolStatus. */
export class SpoolError extends Error {
  override readonly name = "SpoolError";

  constructor(
    readonly code: SpoolErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
