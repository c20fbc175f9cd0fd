import { parseAddress } from "../../model/address.js";
import type { AddressRange } from "../../model/cidr.js";
import type { CompiledPolicy } from "../../policy/decision/compiled-policy.js";
import { intersectIntervals, type ServiceInterval } from "../../policy/decision/service-line.js";
import { ALLOWED } from "../../policy/decision/verdict-map.js";

const PROTOCOLS = [
  ["SCTP", 132],
  ["TCP", 6],
  ["UDP", 17],
] as const;

/** The ports of the three protocols in canonical text. Port 0 does not count: no list knows it. */
export function portsText(allowed: readonly ServiceInterval[]): string {
  const parts = PROTOCOLS.flatMap(([name, number]) => {
    const line = [{ first: (number << 16) | 1, last: (number << 16) | 65535 }];
    const ports = intersectIntervals(line, allowed).map(({ first, last }) => {
      const [low, high] = [first & 0xffff, last & 0xffff];
      return low === high ? `${low}` : `${low}-${high}`;
    });
    return ports.length === 0 ? [] : [`${name} ${ports.join(",")}`];
  });
  return parts.join(" ");
}

/** Reads "All Connections", "No Connections" or "TCP 1-79,81,UDP 53" into canonical text. */
export function parsePorts(text: string): string {
  if (/^all connections$/i.test(text)) return portsText([{ first: 0, last: (1 << 24) - 1 }]);
  if (/^no connections$/i.test(text)) return "";
  const intervals: ServiceInterval[] = [];
  let protocol = 0;
  for (const part of text.split(",")) {
    const match = /^(?:(TCP|UDP|SCTP)\s+)?(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (match === null) throw new SyntaxError(`Cannot parse connections "${text}": wanted protocols and ports`);
    if (match[1] !== undefined) protocol = { TCP: 6, UDP: 17, SCTP: 132 }[match[1]] ?? 0;
    const first = Number(match[2]);
    intervals.push({ first: (protocol << 16) | first, last: (protocol << 16) | Number(match[3] ?? first) });
  }
  return portsText(intervals.sort((a, b) => a.first - b.first));
}

/** What one point may reach at another, in canonical text. */
export function portsBetween(policy: CompiledPolicy, client: number, server: number): string {
  const steps = policy.maps.stepsOf(policy.mapBetween(client, server));
  const allowed = steps.flatMap(({ start, code }, i) =>
    code === ALLOWED ? [{ first: start, last: (steps[i + 1]?.start ?? 1 << 24) - 1 }] : [],
  );
  return portsText(allowed);
}

/** A range of IPv4 addresses "first-last" as CIDRs, and its first address. */
export function parseRange(text: string): AddressRange {
  const [first, last] = text.split("-");
  const from = parseAddress(first ?? "");
  return { family: from.family, first: from.value, last: parseAddress(last ?? first ?? "").value };
}
