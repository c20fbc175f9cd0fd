import type { Inventory } from "../../model/workload.js";
import type { Exclusion } from "../proposal.js";
import { directionProbability, knownListeners } from "./direction.js";
import type { History } from "./history.js";
import { housekeepingReason } from "./housekeeping.js";
import { isRoutingMulticast, isToMany } from "./multicast.js";
import { isOneWay } from "./one-way.js";
import type { DiscoveryOptions } from "./options.js";
import { quarantineReason } from "./quarantine.js";
import { findScanners, independentSupport, type ScanVerdict } from "./scan.js";

/** A conversation that may become a rule, with the probability that client and server are not swapped. */
export interface Admitted {
  readonly history: History;
  readonly direction: number; // 0.99..1
}

/** A conversation that may not, and why. `scan` refers to the verdict on its source. */
export interface Rejected {
  readonly kind: Exclusion["kind"];
  readonly history: History;
  readonly reason: string; // one sentence without its full stop, shared by all conversations rejected alike
  readonly scan?: ScanVerdict;
}

export interface Admission {
  readonly admitted: readonly Admitted[]; // sorted by history id
  readonly rejected: readonly Rejected[]; // the same
  readonly scanners: ReadonlyMap<string, ScanVerdict>;
}

/** Endpoint key to the name of its declared role; endpoints without one are absent. */
export type Siblings = ReadonlyMap<string, string>;

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function failure(history: History): Rejected {
  const flows = history.refused + history.unanswered;
  const attempts =
    flows === 1 ? "its only attempt" : `any of ${flows} attempts in ${plural(history.units.length, "window")}`;
  return history.refused > 0
    ? { kind: "refused", history, reason: `the server did not accept ${attempts}` }
    : { kind: "unanswered", history, reason: `nothing came back to ${attempts}` };
}

/** What can be said of one conversation by itself, before its neighbours are asked; `undefined` if nothing speaks against it. */
function rejectAlone(history: History): Rejected | undefined {
  const housekeeping = housekeepingReason(history);
  if (housekeeping !== undefined) return { kind: "housekeeping", history, reason: housekeeping };
  if (isToMany(history)) {
    if (isRoutingMulticast(history) && history.units.length >= 2) return undefined;
    const reason = `it goes to ${history.serverAddress}, where everybody listens and nobody need answer, so that no server can be named`;
    return { kind: "quarantine", history, reason };
  }
  if (isOneWay(history)) {
    const reason = `${plural(history.clientPackets, "datagram")} in ${plural(history.units.length, "window")} were sent and none answered, as syslog or metrics may be`;
    return { kind: "quarantine", history, reason };
  }
  if (history.answered > 0) return undefined;
  if (history.midstream > 0 && history.clientPackets > 0 && history.serverPackets > 0) return undefined;
  if (history.midstream > 0) {
    const reason =
      "it was under way before we watched and only one side was seen, so nobody knows whether it was accepted";
    return { kind: "midstream", history, reason };
  }
  return failure(history);
}

/**
 * How many distinct clients of one declared role use the same service: who else of my kind does this? Counted when it is
 * first asked, since only scanners and administration ports ask.
 */
function siblingsByService(histories: readonly History[], siblings: Siblings): (history: History) => number {
  const keyOf = ({ client, service }: History) => `${siblings.get(client.key) ?? client.key}>${service}`;
  let clients: Map<string, number> | undefined;
  return (asked) => {
    if (clients === undefined) {
      clients = new Map(); // a client and a service meet in one history only
      for (const history of histories) clients.set(keyOf(history), (clients.get(keyOf(history)) ?? 0) + 1);
    }
    return clients.get(keyOf(asked)) ?? 0;
  };
}

/** Failed windows of each scanner, in which nothing it does counts as honest work. */
function failedUnitsOf(
  histories: readonly History[],
  scanners: ReadonlyMap<string, ScanVerdict>,
): Map<string, Set<number>> {
  const failed = new Map<string, Set<number>>([...scanners.keys()].map((source) => [source, new Set()]));
  for (const history of histories) {
    for (const unit of history.answered > 0 ? [] : history.failedUnits) failed.get(history.client.key)?.add(unit);
  }
  return failed;
}

function rejectScan(history: History, scan: ScanVerdict): Rejected {
  const reason = `${scan.failed} of ${scan.contacts} first contacts of this source failed, likelihood ratio ${formatRatio(scan.likelihoodRatio)}`;
  return { kind: "scan", history, reason, scan };
}

function formatRatio(ratio: number): string {
  return ratio >= 1e5 || !Number.isFinite(ratio)
    ? ratio.toExponential(1).replace("e+", "e")
    : String(Math.round(ratio));
}

/**
 * Decides which conversations are learnable. Failures and one-off administration are noise; so is all that a scanner
 * does, even where it was answered, unless the conversation stands on its own (see `independentSupport`); so is what
 * nobody saw being opened, unless the listener is known.
 */
export function admit(
  histories: readonly History[],
  inventory: Inventory,
  siblings: Siblings,
  options: DiscoveryOptions,
): Admission {
  const rejected: Rejected[] = [];
  const plausible: History[] = [];
  const tested: History[] = []; // what the scan test may look at: no housekeeping, no multicast
  for (const history of histories) {
    const rejection = rejectAlone(history);
    if (rejection === undefined) plausible.push(history);
    else if (rejection.kind === "unanswered" || rejection.kind === "refused") tested.push(history);
    else rejected.push(rejection);
  }
  const scanners = findScanners([...plausible, ...tested], options);
  for (const history of tested) {
    const scan = scanners.get(history.client.key);
    rejected.push(scan === undefined ? failure(history) : rejectScan(history, scan));
  }

  const honest = plausible.filter((history) => !scanners.has(history.client.key));
  const honestSiblings = siblingsByService(honest, siblings);
  const failedUnits = failedUnitsOf(tested, scanners);
  const supported = plausible.filter((history) => {
    const scan = scanners.get(history.client.key);
    if (scan === undefined) return true;
    const failed = failedUnits.get(history.client.key) ?? new Set();
    if (independentSupport(history, failed, honestSiblings(history), options)) return true;
    rejected.push(rejectScan(history, scan));
    return false;
  });

  const known = knownListeners(supported);
  const supportedSiblings = siblingsByService(supported, siblings);
  const admitted: Admitted[] = [];
  for (const history of supported) {
    const direction = directionProbability(history, known);
    if (direction < options.directionConfidence) {
      const reason = `nobody saw who opened it, and the odds that ${history.port} is the server's port are only ${direction.toFixed(2)} of the ${options.directionConfidence} wanted`;
      rejected.push({ kind: history.answered > 0 ? "direction" : "midstream", history, reason });
      continue;
    }
    const reason = quarantineReason(history, supportedSiblings, inventory, options);
    if (reason === undefined) admitted.push({ history, direction });
    else rejected.push({ kind: "quarantine", history, reason });
  }
  return { admitted, rejected, scanners };
}
