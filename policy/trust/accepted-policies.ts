import type { Keyring } from "./keyring.js";
import { TrustError } from "./trust-error.js";
import { type TrustContext, type VerifiedPolicy, verifyPolicy } from "./verify-policy.js";

/** What became of an offer. `known`: it is in force already. */
export type Offer =
  | { readonly kind: "accepted" | "known"; readonly policy: VerifiedPolicy }
  | { readonly kind: "refused"; readonly error: TrustError };

/** The generation and hash that a scope has come to; it outlives the process, so that nothing older is taken after. */
export interface Reached {
  readonly generation: number;
  readonly hash: string;
}

/**
 * The last good policy of each scope. An offer that is refused, for whatever reason, changes nothing: not what is in
 * force, and not what may come next.
 */
export class AcceptedPolicies {
  readonly #policies = new Map<string, VerifiedPolicy>();
  readonly #reached: Map<string, Reached>;

  constructor(
    readonly keyring: Keyring,
    private readonly scopes: readonly string[] | undefined,
    reached: ReadonlyMap<string, Reached>,
  ) {
    this.#reached = new Map(reached);
  }

  /** `scope` is the key that the carrier delivered the offer under, where it has one. */
  async offer(bytes: Uint8Array, nowMs: number, scope?: string): Promise<Offer> {
    const context: TrustContext = {
      keyring: this.keyring,
      nowMs,
      accepted: (of) => this.#reached.get(of),
      ...(this.scopes === undefined ? {} : { scopes: this.scopes }),
      ...(scope === undefined ? {} : { scope }),
    };
    let policy: VerifiedPolicy;
    try {
      policy = await verifyPolicy(bytes, context);
    } catch (error) {
      if (error instanceof TrustError) return { kind: "refused", error };
      throw error;
    }
    const isKnown = this.#policies.get(policy.order.scope)?.hash === policy.hash;
    this.#policies.set(policy.order.scope, policy);
    this.#reached.set(policy.order.scope, { generation: policy.order.generation, hash: policy.hash });
    return { kind: isKnown ? "known" : "accepted", policy };
  }

  current(scope: string): VerifiedPolicy | undefined {
    return this.#policies.get(scope);
  }

  reached(): ReadonlyMap<string, Reached> {
    return this.#reached;
  }
}
