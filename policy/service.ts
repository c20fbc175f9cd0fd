import type { PortRange } from "../model/port-range.js";

/** What is spoken: a protocol with ports, an ICMP type, another IP protocol, or anything at all. */
export type Service =
  | { readonly kind: "ports"; readonly protocol: "tcp" | "udp" | "sctp"; readonly ports: PortRange }
  /** `type` and `code` absent mean every one. `icmp` is IPv4 only, `icmpv6` is IPv6 only. */
  | { readonly kind: "icmp"; readonly protocol: "icmp" | "icmpv6"; readonly type?: number; readonly code?: number }
  | { readonly kind: "protocol"; readonly protocol: number } // IP protocol number, all of it
  | { readonly kind: "any" };
