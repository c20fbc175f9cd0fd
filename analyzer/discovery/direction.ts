import type { History } from "./history.js";

/** Servers and ports of which an opening was observed, so that later guesses can lean on them. */
export interface KnownListeners {
  readonly exact: ReadonlySet<string>; // "server key/protocol/port"
  readonly clientsOf: ReadonlyMap<string, number>; // same key: distinct clients, certain or not
}

const listener = (history: History) => `${history.server.key}/${history.protocol}/${history.port}`;

export function knownListeners(histories: readonly History[]): KnownListeners {
  const exact = new Set<string>();
  const clients = new Map<string, Set<string>>();
  for (const history of histories) {
    const key = listener(history);
    if (history.isCertain && history.answered > 0) exact.add(key);
    clients.set(key, (clients.get(key) ?? new Set()).add(history.client.key));
  }
  return { exact, clientsOf: new Map([...clients].map(([key, set]) => [key, set.size])) };
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
  const key = listener(history);
  let odds = 0;
  if (known.exact.has(key)) odds += 6;
  odds += Math.min(3, (known.clientsOf.get(key) ?? 1) - 1);
  if (history.port < 1024) odds += 2;
  else if (history.port >= 32768) odds -= 3;
  if (history.units.length >= 3) odds += 1;
  return 1 / (1 + Math.exp(-odds));
}
