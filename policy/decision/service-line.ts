import { formatProtocol, PROTOCOL_NUMBERS } from "../../model/protocol.js";
import type { Service } from "../service.js";

/**
 * Everything that can be spoken, as points of one line, so that every service is a set of intervals:
 *
 *     point = protocol << 16 | selector        0 .. 2^24 - 1
 *     tcp, udp, sctp     selector = destination port
 *     icmp, icmpv6       selector = type << 8 | code
 *     other protocols    selector means nothing: a service holds all of them or none
 */
export interface ServiceInterval {
  readonly first: number; // included
  readonly last: number; // included
}

export const SERVICE_LINE_END = 1 << 24; // one past the last point

export const ALL_SERVICES: ServiceInterval = { first: 0, last: SERVICE_LINE_END - 1 };

/** The point of `protocol` with `port`; for ICMP `port` is the type. */
export function servicePoint(protocol: number, port: number, icmpCode = 0): number {
  const isIcmp = protocol === PROTOCOL_NUMBERS.icmp || protocol === PROTOCOL_NUMBERS.icmpv6;
  return (protocol << 16) | (isIcmp ? (port << 8) | icmpCode : port);
}

function intervalsOfIcmp(protocol: number, type: number | undefined, code: number | undefined): ServiceInterval[] {
  if (type !== undefined) {
    const first = servicePoint(protocol, type, code ?? 0);
    return [{ first, last: code === undefined ? first + 255 : first }];
  }
  if (code === undefined) return [{ first: protocol << 16, last: (protocol << 16) | 0xffff }];
  return Array.from({ length: 256 }, (_, each) => {
    const point = servicePoint(protocol, each, code);
    return { first: point, last: point };
  });
}

export function intervalsOfService(service: Service): ServiceInterval[] {
  switch (service.kind) {
    case "any":
      return [ALL_SERVICES];
    case "protocol":
      return [{ first: service.protocol << 16, last: (service.protocol << 16) | 0xffff }];
    case "icmp":
      return intervalsOfIcmp(PROTOCOL_NUMBERS[service.protocol], service.type, service.code);
    case "ports": {
      const protocol = PROTOCOL_NUMBERS[service.protocol];
      return [{ first: servicePoint(protocol, service.ports.first), last: servicePoint(protocol, service.ports.last) }];
    }
  }
}

/** Sorted, disjoint and not adjacent intervals with the same union. */
export function mergeIntervals(intervals: readonly ServiceInterval[]): readonly ServiceInterval[] {
  if (intervals.length < 2) return intervals;
  const merged: ServiceInterval[] = [];
  for (const interval of [...intervals].sort((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && interval.first <= previous.last + 1) {
      merged[merged.length - 1] = { first: previous.first, last: Math.max(previous.last, interval.last) };
    } else {
      merged.push(interval);
    }
  }
  return merged;
}

/** What both hold. Takes and gives sorted, disjoint intervals, as do the other two. */
export function intersectIntervals(
  a: readonly ServiceInterval[],
  b: readonly ServiceInterval[],
): readonly ServiceInterval[] {
  const shared: ServiceInterval[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i]!;
    const right = b[j]!;
    const first = Math.max(left.first, right.first);
    const last = Math.min(left.last, right.last);
    if (first <= last) shared.push({ first, last });
    if (left.last < right.last) i++;
    else j++;
  }
  return shared;
}

/** What `intervals` leave out of the line. */
export function complementIntervals(intervals: readonly ServiceInterval[]): readonly ServiceInterval[] {
  const rest: ServiceInterval[] = [];
  let next = 0;
  for (const { first, last } of intervals) {
    if (first > next) rest.push({ first: next, last: first - 1 });
    next = last + 1;
  }
  if (next < SERVICE_LINE_END) rest.push({ first: next, last: SERVICE_LINE_END - 1 });
  return rest;
}

export function subtractIntervals(
  a: readonly ServiceInterval[],
  b: readonly ServiceInterval[],
): readonly ServiceInterval[] {
  return intersectIntervals(a, complementIntervals(b));
}

/** In words, e.g. `tcp 443`, `icmp type 8 code 0`, `gre`. */
export function formatServicePoint(point: number): string {
  const protocol = point >>> 16;
  const name = formatProtocol(protocol);
  switch (protocol) {
    case PROTOCOL_NUMBERS.icmp:
    case PROTOCOL_NUMBERS.icmpv6:
      return `${name} type ${(point >>> 8) & 255} code ${point & 255}`;
    case PROTOCOL_NUMBERS.tcp:
    case PROTOCOL_NUMBERS.udp:
    case PROTOCOL_NUMBERS.sctp:
      return `${name} ${point & 0xffff}`;
    default:
      return /^\d/.test(name) ? `protocol ${name}` : name;
  }
}

/** Sorted, disjoint intervals in words: `everything`, `tcp`, `tcp 80-90`, `icmp type 8`, `protocols 3-5`. */
export function formatServices(intervals: readonly ServiceInterval[]): string[] {
  return intervals.flatMap(({ first, last }) => {
    if (first === 0 && last === SERVICE_LINE_END - 1) return ["everything"];
    const texts: string[] = [];
    for (let protocol = first >>> 16; protocol <= last >>> 16; ) {
      const from = Math.max(first, protocol << 16) & 0xffff;
      const to = Math.min(last, (protocol << 16) | 0xffff) & 0xffff;
      if (from !== 0 || to !== 0xffff) {
        texts.push(formatPart(protocol, from, to));
        protocol++;
        continue;
      }
      // Whole protocols that follow each other are told as one range.
      let next = protocol + 1;
      while (next <= last >>> 16 && ((next << 16) | 0xffff) <= last) next++;
      texts.push(next - protocol === 1 ? formatPart(protocol, 0, 0xffff) : `protocols ${protocol}-${next - 1}`);
      protocol = next;
    }
    return texts;
  });
}

function formatPart(protocol: number, from: number, to: number): string {
  const name = formatProtocol(protocol);
  const isIcmp = protocol === PROTOCOL_NUMBERS.icmp || protocol === PROTOCOL_NUMBERS.icmpv6;
  if (from === 0 && to === 0xffff) return /^\d/.test(name) ? `protocol ${name}` : name;
  if (!isIcmp) return `${name} ${from === to ? from : `${from}-${to}`}`;
  if (from >>> 8 === to >>> 8 && (from & 255) === 0 && (to & 255) === 255) return `${name} type ${from >>> 8}`;
  return from === to
    ? formatServicePoint((protocol << 16) | from)
    : `${name} types ${from >>> 8}.${from & 255}-${to >>> 8}.${to & 255}`;
}
