import type { AuditEdge, AuditScope } from "../../../api/contract.js";
import { count, plural, time } from "../format.js";
import type { Span } from "../state/location.js";

const HOUR_US = 3_600_000_000;

export const SPAN_WORDS: Readonly<Record<Span, readonly [string, number]>> = {
  hour: ["Last hour", HOUR_US],
  day: ["Last day", 24 * HOUR_US],
  week: ["Last week", 7 * 24 * HOUR_US],
  month: ["Last 30 days", 30 * 24 * HOUR_US],
};

const STEP_US = 300_000_000;

/** The span that ends now; its end is rounded up to five minutes, so that one address is asked for a while. */
export function spanUntil(nowUs: number, span: Span): { readonly fromUs: number; readonly untilUs: number } {
  const untilUs = Math.ceil(nowUs / STEP_US) * STEP_US;
  return { fromUs: untilUs - SPAN_WORDS[span][1], untilUs };
}

/** `2 hosts in deny mode since 2026-06-01 12:00:00, 1 in audit mode since ...`; of several the earliest time. */
export function modeText({ hosts, hostCount }: AuditScope): string {
  if (hosts.length === 0) return "No enforcer reported in this span.";
  const parts = (["deny", "audit"] as const).flatMap((mode) => {
    const ours = hosts.filter((host) => host.mode === mode);
    if (ours.length === 0) return [];
    const since = time(Math.min(...ours.map(({ modeSinceUs }) => modeSinceUs)));
    return [`${plural(ours.length, "host")} in ${mode} mode since ${since}`];
  });
  const more = hostCount - hosts.length;
  return `${parts.join(", ")}${more > 0 ? `, and ${plural(more, "host")} more` : ""}.`;
}

/** How much of what the policy isolates is heard of. */
export function coverageText({ expectedHostCount, silentHostCount }: AuditScope): string {
  if (expectedHostCount === 0)
    return "Which hosts the policy isolates is not known here: no readable policy was published.";
  return `${count(expectedHostCount - silentHostCount)} of ${plural(expectedHostCount, "isolated host")} reported.`;
}

export function endText({ name, address }: AuditEdge["client"]): string {
  return name === address ? address : `${name} (${address})`;
}

/** Ports by number, ICMP by type and code, the rest by the protocol alone. */
export function edgeService({ protocol, port }: AuditEdge): string {
  if (protocol === "icmp" || protocol === "icmpv6") return `${protocol} type ${port >> 8} code ${port & 255}`;
  return port === 0 ? protocol : `${protocol}/${port}`;
}

const STANDING_SIGNS = { new: "▲", known: "…", accepted: "✓" } as const;

export function standingText({ standing, acceptance }: AuditEdge): string {
  const by = acceptance === undefined ? "" : ` by ${acceptance.by}: ${acceptance.note}`;
  return `${STANDING_SIGNS[standing]} ${standing}${by}`;
}

export function exampleText({ examples }: AuditEdge): string {
  return examples
    .map(({ atUs, clientPort, interface: name }) => `${time(atUs)} from port ${clientPort} on ${name}`)
    .join("; ");
}

/** `3 new edges with 41 attempts, 2 known, 1 accepted`, of everything in the span. */
export function tallyText({ tallies }: AuditScope): string {
  const { new: fresh, known, accepted } = tallies;
  const attempts = fresh.audited + fresh.denied;
  return `${plural(fresh.edges, "new edge")} with ${plural(attempts, "attempt")}, ${count(known.edges)} known, ${count(accepted.edges)} accepted.`;
}

export function attemptsOf({ tallies }: AuditScope, of: "audited" | "denied"): number {
  return tallies.new[of] + tallies.known[of] + tallies.accepted[of];
}

/** What a bounded list leaves out; nothing where it is whole. */
export function listedText(listed: number, all: number): string {
  if (listed >= all) return "";
  return `The first ${count(listed)} of ${count(all)} are listed, new ones first: the downloads have them all.`;
}

export function heardText({ expectedHostCount, silentHostCount }: AuditScope): string {
  if (expectedHostCount === 0) return "unknown";
  return `${count(expectedHostCount - silentHostCount)} of ${count(expectedHostCount)}`;
}

type Approval = AuditScope["approvals"][number];

export function trustText({ trust }: Approval): string {
  switch (trust.kind) {
    case "verified":
      return "✓ verified";
    case "unchecked":
      return "? not checked: no keyring was given";
    case "refused":
      return `✗ refused: ${trust.reason}`;
  }
}

export function signersText({ signatures }: Approval): string {
  if (signatures.length === 0) return "nobody";
  return signatures.map(({ role, person, keyId, at }) => `${role} ${person ?? `key ${keyId}`} at ${at}`).join("; ");
}
