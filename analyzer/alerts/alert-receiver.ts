import type { Alert } from "./alert.js";

/** Somebody who is told. */
export interface AlertReceiver {
  readonly name: string; // in the spool and in metrics
  /**
   * Resolves when the receiver has it, as far as its protocol can tell.
   * @throws {AlertError} `away` or `refused`.
   */
  deliver(alert: Alert): Promise<void>;
}
