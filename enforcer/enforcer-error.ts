/**
 * - `permission`: the kernel refused us; CAP_NET_ADMIN is missing.
 * - `no-nft`: the program `nft` is not installed, or too old.
 * - `rejected`: nft or the kernel refused what we wrote; nothing of it is in force.
 * - `unreadable-listing`: what nft lists of our table is not what we would have written, so nobody can say what it means.
 * - `second-enforcer`: another enforcer looks after this network namespace.
 * - `lease-not-kept`: the kernel does not hold the lease that was just given to it.
 * - `timeout`: nft did not end in time.
 */
export type EnforcerErrorCode =
  | "permission"
  | "no-nft"
  | "rejected"
  | "unreadable-listing"
  | "second-enforcer"
  | "lease-not-kept"
  | "timeout";

/** The kernel could not be read or changed. What was in force before is still in force. */
export class EnforcerError extends Error {
  /** Whether the same may work later without anybody doing anything. */
  readonly isTransient: boolean;

  constructor(
    readonly code: EnforcerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "EnforcerError";
    this.isTransient = code === "timeout" || code === "lease-not-kept";
  }
}
