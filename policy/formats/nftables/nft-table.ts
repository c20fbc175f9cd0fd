/** What our table looks like once it is read, from text or from JSON: the form in which both readers meet. */

/** Parts of a packet that rules ask about. A port field of one protocol asks for that protocol too. */
export type NftField =
  | "ip saddr"
  | "ip daddr"
  | "ip6 saddr"
  | "ip6 daddr"
  | "meta l4proto"
  | "meta nfproto"
  | "th sport"
  | "th dport"
  | "tcp dport"
  | "udp dport"
  | "sctp dport"
  | "icmp type"
  | "icmp code"
  | "icmpv6 type"
  | "icmpv6 code";

export const NFT_FIELDS: readonly NftField[] = [
  "ip saddr",
  "ip daddr",
  "ip6 saddr",
  "ip6 daddr",
  "meta l4proto",
  "meta nfproto",
  "th sport",
  "th dport",
  "tcp dport",
  "udp dport",
  "sctp dport",
  "icmp type",
  "icmp code",
  "icmpv6 type",
  "icmpv6 code",
];

/** Values `first`..`last` of one field; addresses as their number, protocol families as 2 (IPv4) and 10 (IPv6). */
export interface NftRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** One element, a range for each field of its set. */
export interface NftElement {
  readonly parts: readonly NftRange[];
  readonly comment: string; // "" when it has none
}

export interface NftSet {
  readonly name: string;
  readonly fields: readonly NftField[] | undefined; // absent in JSON, which tells types only
  readonly isDynamic: boolean; // packets add to it, so nobody knows what is in it
  readonly elements: readonly NftElement[];
}

/** A condition of a rule. */
export type NftMatch =
  /** The fields have one of the values; `isNegated`: none of them. */
  | {
      readonly kind: "values";
      readonly fields: readonly NftField[];
      readonly values: readonly NftElement[];
      readonly isNegated: boolean;
    }
  | { readonly kind: "lookup"; readonly fields: readonly NftField[]; readonly set: string; readonly isNegated: boolean }
  /**
   * Never true of the first packet of a new connection between the addresses that it names: loopback, established, no
   * SYN, noted before, translated.
   */
  | { readonly kind: "not-new"; readonly text: string }
  /** True as often as a rate or a dynamic set lets it. */
  | { readonly kind: "sometimes"; readonly text: string };

export type NftVerdict =
  | { readonly kind: "accept" }
  | { readonly kind: "drop" } // or reject
  | { readonly kind: "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export interface NftRule {
  readonly where: string; // for errors: "line 12" or "rule with handle 8"
  readonly matches: readonly NftMatch[];
  readonly verdict: NftVerdict | undefined; // absent: it counts, notes or logs
  readonly comment: string;
}

export const NFT_HOOKS = ["input", "output", "forward", "prerouting"] as const;
export type NftHook = (typeof NFT_HOOKS)[number];

export function isNftHook(text: unknown): text is NftHook {
  return NFT_HOOKS.some((hook) => hook === text);
}

export interface NftChain {
  readonly name: string;
  readonly hook: NftHook | undefined;
  readonly policy: "accept" | "drop";
  readonly rules: readonly NftRule[];
}

export interface NftTable {
  readonly isDormant: boolean;
  readonly sets: ReadonlyMap<string, NftSet>;
  readonly chains: ReadonlyMap<string, NftChain>;
}

/** Says where and what in a ruleset cannot be read. */
export class NftSyntaxError extends SyntaxError {
  constructor(where: string, found: string, wanted: string) {
    super(`Cannot read nftables ${where}: found "${found}", wanted ${wanted}`);
    this.name = "NftSyntaxError";
  }
}
