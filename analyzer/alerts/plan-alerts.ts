import type { Inventory } from "../../model/workload.js";
import { type AcceptedDenial, acceptanceOf } from "../audit/accepted-denials.js";
import { namedEnds } from "../audit/named-ends.js";
import { type Alert, alertUid, type EdgeAlert, type MoreAlert } from "./alert.js";
import { type AlertBucket, takeTokens } from "./alert-limit.js";
import type { FreshDenial } from "./denial-sightings.js";

/** Scopes that a summary names; it counts for all of them. */
const MOST_SCOPES = 20;

/** News that the rate left out and nobody was told of yet. */
export type HeldBack = Omit<MoreAlert, "kind" | "uid" | "atUs">;

export interface AlertPlan {
  readonly alerts: readonly Alert[];
  readonly heldBack: HeldBack | undefined;
  readonly bucket: AlertBucket;
}

/** Names the ends of fresh edges, and leaves out what a person has accepted. */
export function edgeAlerts(
  fresh: readonly FreshDenial[],
  inventory: Inventory,
  accepted: readonly AcceptedDenial[],
): EdgeAlert[] {
  if (fresh.length === 0) return [];
  const nameOf = namedEnds(inventory);
  return fresh.flatMap(({ sighting, beforeUs }): EdgeAlert[] => {
    const { entry, scope, direction, protocol, port, verdict, lastUs } = sighting;
    const client = nameOf(sighting.client, lastUs);
    const server = nameOf(sighting.server, lastUs);
    if (acceptanceOf(accepted, sighting, client, server) !== undefined) return [];
    return [
      {
        kind: "edge",
        uid: alertUid(entry, verdict, scope, direction, sighting.client, sighting.server, protocol, port),
        atUs: sighting.receivedUs,
        entry,
        verdict,
        scope,
        generation: sighting.generation,
        enforcer: sighting.enforcer,
        host: sighting.host,
        direction,
        client,
        server,
        protocol,
        port,
        attempts: sighting.attempts,
        firstUs: sighting.firstUs,
        lastUs,
        ...(beforeUs === undefined ? {} : { beforeUs }),
      },
    ];
  });
}

function hold(before: HeldBack | undefined, more: readonly EdgeAlert[]): HeldBack | undefined {
  const [first] = more;
  if (first === undefined) return before;
  const scopes = new Set([...(before?.scopes ?? []), ...more.map(({ scope }) => scope)]);
  return {
    edges: (before?.edges ?? 0) + more.length,
    denied: (before?.denied ?? 0) + more.filter(({ verdict }) => verdict === "denied").length,
    attempts: more.reduce((sum, { attempts }) => sum + attempts, before?.attempts ?? 0),
    scopes: [...scopes].sort().slice(0, MOST_SCOPES),
    fromEntry: before?.fromEntry ?? first.entry,
    untilEntry: more.at(-1)?.entry ?? first.entry,
  };
}

/**
 * What is sent now: first the summary of what was held back before, then as many edges as the rate allows. The rest is held
 * back, counted, for the summary that goes out with the next token. Nothing is ever left unsaid.
 */
export function planAlerts(
  edges: readonly EdgeAlert[],
  heldBack: HeldBack | undefined,
  before: AlertBucket,
  now: { readonly steadyMs: number; readonly us: number },
): AlertPlan {
  const isHeld = heldBack !== undefined;
  const { taken, bucket } = takeTokens(before, edges.length + (isHeld ? 1 : 0), now.steadyMs);
  const isTold = isHeld && taken > 0;
  const sent = taken - (isTold ? 1 : 0);
  const summary: Alert[] = isTold
    ? [
        {
          kind: "more",
          uid: alertUid("more", heldBack.fromEntry, heldBack.untilEntry, heldBack.edges),
          atUs: now.us,
          ...heldBack,
        },
      ]
    : [];
  return {
    alerts: [...summary, ...edges.slice(0, sent)],
    heldBack: hold(isTold ? undefined : heldBack, edges.slice(sent)),
    bucket,
  };
}
