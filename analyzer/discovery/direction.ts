import type { History } from "./history.js";

/** Servers and ports of which an opening was observed, so that later guesses can lean on them. */
export interface KnownListeners {
  readonly exact: ReadonlySet<string>; // History.service
  readonly clientsOf: ReadonlyMap<string, number>; // same key: distinct clients, certain or not
}

export function knownListeners(histories: readonly History[]): KnownListeners {
  const exact = new Set<string>();
  const clientsOf = new Map<string, number>(); // a client and a service meet in one history only
  for (const { service, isCertain, answered } of histories) {
    if (isCertain && answered > 0) exact.add(service);
    clientsOf.set(service, (clientsOf.get(service) ?? 0) + 1);
  }
  return { exact, clientsOf };
}

/**
 * Probability that the side called server really is the one that was addressed: 1 for an observed opening, else the
 * logistic of a sum of votes. The weights are log-odds set by hand, cautious enough that ports alone never reach 0.99:
 *
 *     that server was seen accepting on that port      +6
 *     each further client of that server and port      +1, at most +3   (an ephemeral port has one peer)
 *     port below 1024                                  +2
 *     port in 32768..65535, where clients draw theirs  -3
 *     seen in three windows or more                    +1               (an ephemeral port does not last)
 */
export function directionProbability(history: History, known: KnownListeners): number {
  if (history.isCertain) return 1;
  const key = history.service;
  let odds = 0;
  if (known.exact.has(key)) odds += 6;
  odds += Math.min(3, (known.clientsOf.get(key) ?? 1) - 1);
  if (history.port < 1024) odds += 2;
  else if (history.port >= 32768) odds -= 3;
  if (history.units.length >= 3) odds += 1;
  return 1 / (1 + Math.exp(-odds));
}
