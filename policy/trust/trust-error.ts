/** Why a signed document was refused; listed in docs/trust.md, and reported by enforcers under these names. */
export type TrustCode =
  | "too-large"
  | "not-an-envelope"
  | "wrong-algorithm"
  | "unknown-key"
  | "revoked-key"
  | "key-not-valid"
  | "wrong-role"
  | "bad-signature"
  | "not-canonical"
  | "bad-payload"
  | "wrong-scope"
  | "not-yet-valid"
  | "expired"
  | "replayed"
  | "generation-reused"
  | "wrong-ruleset"
  | "not-signed"
  | "not-approved"
  | "same-person"
  | "bad-keyring"
  | "bad-key";

/** A document, a key or a keyring that is not to be trusted. The message is one line: what, where, what was wanted. */
export class TrustError extends Error {
  constructor(
    readonly code: TrustCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "TrustError";
  }
}
