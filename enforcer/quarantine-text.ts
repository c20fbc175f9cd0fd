import { formatAddress, parseAddress } from "../model/address.js";
import { formatCidr, parseCidr } from "../model/cidr.js";
import type { QuarantineWish } from "./enforcer-kernel.js";

export const QUARANTINE_TABLE = "inet portolan_quarantine";

/**
 * A table of its own before connections are tracked, so that established ones are cut too, and what the host forwards
 * with them. It knows no connections: who manages the host and its controllers are let through by address and port, both
 * ways. Deny is leased here too.
 */
export function quarantineText({ management, controllers, lease }: QuarantineWish): string {
  const until = lease === "permanent" ? "" : ` timeout ${Math.ceil(lease)}ms`;
  const always = [
    "udp sport 67 udp dport 68 accept",
    "udp sport 68 udp dport 67 accept",
    "udp sport 547 udp dport 546 accept",
    "udp sport 546 udp dport 547 accept",
    "icmpv6 type { 130, 131, 132, 133, 134, 135, 136, 137, 143 } accept",
  ];
  const comes = ["meta iif lo accept", ...always];
  const goes = ["meta oif lo accept", ...always];
  for (const text of management) {
    const cidr = parseCidr(text);
    const ip = cidr.family === 4 ? "ip" : "ip6";
    comes.push(`${ip} saddr ${formatCidr(cidr)} tcp dport 22 accept`);
    goes.push(`${ip} daddr ${formatCidr(cidr)} tcp sport 22 accept`);
  }
  for (const { address, port } of controllers) {
    const { family } = parseAddress(address);
    const [ip, text] = [family === 4 ? "ip" : "ip6", formatAddress(parseAddress(address))];
    comes.push(`${ip} saddr ${text} tcp sport ${port} accept`);
    goes.push(`${ip} daddr ${text} tcp dport ${port} accept`);
  }
  const chain = (name: string, hook: string, rules: readonly string[]) =>
    [
      `  chain ${name} {`,
      `    type filter hook ${hook} priority -310; policy accept;`,
      ...rules.map((rule) => `    ${rule}`),
      "    meta nfproto @lease drop",
      "  }",
    ].join("\n");
  return `add table ${QUARANTINE_TABLE}
delete table ${QUARANTINE_TABLE}
table ${QUARANTINE_TABLE} {
  set lease { typeof meta nfproto; flags timeout; elements = { ipv4${until}, ipv6${until} } }
${chain("comes", "prerouting", comes)}
${chain("goes", "output", goes)}
}
`;
}
