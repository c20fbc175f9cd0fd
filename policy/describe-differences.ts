import { cidrsOfRange, formatCidr } from "../model/cidr.js";
import { PROTOCOL_NUMBERS } from "../model/protocol.js";
import { type Difference, differences } from "./compare.js";
import { type CompiledPolicy, formatVerdict } from "./decision/compiled-policy.js";
import type { Verdict } from "./decision/question.js";
import {
  ALL_SERVICES,
  complementIntervals,
  formatServices,
  mergeIntervals,
  type ServiceInterval,
} from "./decision/service-line.js";

/** Traffic whose verdict changes, the same for all its clients, servers and services. */
export interface Change {
  readonly before: Verdict;
  readonly after: Verdict;
  readonly clients: readonly string[]; // workload ids, or CIDRs; sorted
  readonly servers: readonly string[];
  readonly services: readonly string[]; // e.g. "tcp 80-90"
}

/** The names that a point stands for: all workloads of its class, or the addresses of the difference. */
function namesOf(policy: CompiledPolicy, point: number, outside: Difference["outside"]): string[] {
  const { sets } = policy;
  const { workloadPoints } = sets.space;
  if (point < workloadPoints.length) {
    return [
      ...new Set(sets.membersOf(sets.classOf(point)).map((member) => workloadPoints[member]!.workload.id)),
    ].sort();
  }
  const [first, last] = outside!;
  return cidrsOfRange({ family: first.family, first: first.value, last: last.value }).map(formatCidr);
}

interface Cell {
  readonly before: Verdict;
  readonly after: Verdict;
  readonly clients: readonly string[];
  readonly servers: readonly string[];
  readonly intervals: ServiceInterval[];
}

/** Joins what differs in one part only, as given by `keyOf` (all other parts) and `join`. */
function joinBy<T>(items: readonly T[], keyOf: (item: T) => string, join: (a: T, b: T) => T): T[] {
  const joined = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    const other = joined.get(key);
    joined.set(key, other === undefined ? item : join(other, item));
  }
  return [...joined.values()];
}

const IMPOSSIBLE = [PROTOCOL_NUMBERS.icmp, PROTOCOL_NUMBERS.icmpv6];

/** In words. What lacks only the other family's ICMP, which cannot be there, is everything. */
function servicesOf(intervals: readonly ServiceInterval[]): string[] {
  const rest = complementIntervals(mergeIntervals(intervals));
  const isImpossible = ({ first, last }: ServiceInterval) =>
    IMPOSSIBLE.some((protocol) => first === protocol << 16 && last === ((protocol << 16) | 0xffff));
  return formatServices(rest.every(isImpossible) ? [ALL_SERVICES] : complementIntervals(rest));
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}

/**
 * Everything on which two policies that were compiled together differ, joined into as few changes as come easily: services first,
 * then servers, then clients. Sorted: what becomes allowed comes last, and within that by client and server.
 */
export function describeDifferences(before: CompiledPolicy, after: CompiledPolicy): Change[] {
  const cells = [...differences(before, after)].map(
    (difference): Cell => ({
      before: formatVerdict(difference.before),
      after: formatVerdict(difference.after),
      clients: namesOf(before, difference.client, difference.outside),
      servers: namesOf(before, difference.server, difference.outside),
      intervals: [{ first: difference.first, last: difference.last }],
    }),
  );
  const byEnds = joinBy(
    cells,
    (cell) => JSON.stringify([cell.before, cell.after, cell.clients, cell.servers]),
    (a, b) => ({ ...a, intervals: [...a.intervals, ...b.intervals] }),
  ).map(({ intervals, ...cell }) => ({
    ...cell,
    services: servicesOf(intervals),
  }));
  const byClient = joinBy(
    byEnds,
    (change) => JSON.stringify([change.before, change.after, change.services, change.clients]),
    (a, b) => ({ ...a, servers: union(a.servers, b.servers) }),
  );
  const changes = joinBy(
    byClient,
    (change) => JSON.stringify([change.before, change.after, change.services, change.servers]),
    (a, b) => ({ ...a, clients: union(a.clients, b.clients) }),
  );
  const key = ({ after: to, before: from, clients, servers, services }: Change) =>
    `${to === "denied" ? 0 : to === "audited" ? 1 : 2} ${from} ${clients.join()} ${servers.join()} ${services.join()}`;
  return changes.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

const SHOWN = 6;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(", ");
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}

/** One line, e.g. `becomes denied (was allowed): shop/web to shop/db, tcp 5432`. */
export function formatChange({ before, after, clients, servers, services }: Change): string {
  return `becomes ${after} (was ${before}): ${listed(clients)} to ${listed(servers)}, ${listed(services)}`;
}
