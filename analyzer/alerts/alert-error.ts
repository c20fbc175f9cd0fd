/**
 * - `away`: the receiver was not reached, or said that it cannot take anything now; the alert is tried again.
 * - `refused`: it will never take this one, whatever is tried.
 * - `failed`: the spool cannot be used.
 */
export type AlertErrorCode = "away" | "refused" | "failed";

/** Why an alert was not delivered, or a spool not opened, in one line. */
export class AlertError extends Error {
  override readonly name = "AlertError";

  constructor(
    readonly code: AlertErrorCode,
    message: string,
    /** The receiver said not to come back before. */
    readonly notBeforeMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
