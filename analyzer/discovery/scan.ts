import type { History } from "./history.js";
import { isOneWay } from "./one-way.js";
import type { DiscoveryOptions } from "./options.js";

/** What the sequential test found out about one source. */
export interface ScanVerdict {
  readonly source: string; // endpoint key
  readonly contacts: number; // first contacts: distinct (server, protocol, port)
  readonly failed: number; // of these, how many never worked
  readonly likelihoodRatio: number; // of "scanner" against "benign", highest point of the walk
}

/**
 * Threshold random walk (Jung, Paxson, Berger, Balakrishnan: Fast Portscan Detection Using Sequential Hypothesis
 * Testing, IEEE S&P 2004). Each first contact of a source multiplies the likelihood ratio of "scanner" against "benign":
 *
 *     worked    x theta1/theta0              = 1/4
 *     failed    x (1-theta1)/(1-theta0)      = 4
 *
 * and the source is a scanner as soon as the ratio reaches beta/alpha = 99. Three departures, all because we look back
 * over whole histories rather than live at single packets:
 *  - a contact is a (server, protocol, port), not a server, so that one host probed on many ports counts as well;
 *  - a contact that failed first and worked later counts as worked: the service was down, not absent. A client that
 *    retries one closed port is one failed contact however long it tries;
 *  - the walk does not stop below: it is held at (1-beta)/(1-alpha), so that a long good past cannot hide a scan.
 * A source that reaches everybody and is answered, such as a metrics scraper, never comes near the threshold.
 */
export function findScanners(histories: readonly History[], options: DiscoveryOptions): Map<string, ScanVerdict> {
  const worked = Math.log(options.theta1 / options.theta0);
  const failed = Math.log((1 - options.theta1) / (1 - options.theta0));
  const upper = Math.log(options.beta / options.alpha);
  const lower = Math.log((1 - options.beta) / (1 - options.alpha));
  const bySource = new Map<string, History[]>();
  for (const history of histories) {
    if (history.answered + history.refused + history.unanswered === 0 || isOneWay(history)) continue;
    const contacts = bySource.get(history.client.key);
    if (contacts === undefined) bySource.set(history.client.key, [history]);
    else contacts.push(history);
  }
  const scanners = new Map<string, ScanVerdict>();
  for (const [source, contacts] of bySource) {
    contacts.sort((a, b) => a.firstSeenUs - b.firstSeenUs || (a.id < b.id ? -1 : 1));
    let walk = 0;
    let peak = 0;
    for (const contact of contacts) {
      walk = Math.max(lower, walk + (contact.answered > 0 ? worked : failed));
      peak = Math.max(peak, walk);
    }
    if (peak < upper) continue;
    const failures = contacts.filter((contact) => contact.answered === 0).length;
    scanners.set(source, { source, contacts: contacts.length, failed: failures, likelihoodRatio: Math.exp(peak) });
  }
  return scanners;
}

/**
 * Whether a scanner's answered conversation stands on its own: a host that scans may also do honest work (a compromised
 * web server still serves). It does if siblings of the source, of the same declared role and no scanners, use the same
 * service of the same server, or if it was seen again and again in windows in which the source probed nothing at all.
 * That strangers use the service is no support: a scanner finds exactly the ports that somebody uses.
 */
export function independentSupport(
  history: History,
  failedUnits: ReadonlySet<number>, // of the source, over all its histories
  honestSiblings: number, // clients of the same role, service and server that are no scanners
  options: DiscoveryOptions,
): boolean {
  if (honestSiblings >= options.independentSiblings) return true;
  return history.answeredUnits.filter((unit) => !failedUnits.has(unit)).length >= options.quietWindows;
}
