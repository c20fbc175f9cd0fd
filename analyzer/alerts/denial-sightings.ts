/** A place in the audit trail; the link tells trails apart that have as many entries. */
export interface TrailPoint {
  readonly number: number; // of the last entry that was read; 0 in front of the first
  readonly link: string;
}

/** What makes two sightings the same edge. */
export interface DenialKey {
  readonly scope: string;
  readonly direction: "ingress" | "egress";
  readonly client: string; // address
  readonly server: string;
  readonly protocol: number;
  readonly port: number; // server port; ICMP type << 8 | code
}

/** Traffic that no rule permits, as one verdict report counted it. */
export interface DenialSighting extends DenialKey {
  readonly entry: number; // of the audit trail
  readonly receivedUs: number;
  readonly enforcer: string;
  readonly host: string; // workload id
  readonly generation: number;
  readonly verdict: "audited" | "denied";
  readonly attempts: number;
  readonly firstUs: number;
  readonly lastUs: number;
}

/** When an edge was last counted before the entries that were read. */
export interface EarlierSighting extends DenialKey {
  readonly verdict: "audited" | "denied";
  readonly lastUs: number;
}

/** The next part of the trail. */
export interface DenialsSince {
  readonly sightings: readonly DenialSighting[]; // in the order of the trail
  readonly earlier: readonly EarlierSighting[]; // of the same edges
  readonly until: TrailPoint;
  /** The trail does not go on from the point that was given: its end is answered, and nothing else. */
  readonly isOtherTrail: boolean;
}

/** A sighting that somebody should hear of, and when the edge was last counted before; absent: never. */
export interface FreshDenial {
  readonly sighting: DenialSighting;
  readonly beforeUs: number | undefined;
}

const keyOf = ({ scope, direction, client, server, protocol, port }: DenialKey) =>
  JSON.stringify([scope, direction, client, server, protocol, port]);

/**
 * Edges that were never counted, or not for `quietUs`, and those that are now denied and were not. An edge that goes on
 * being counted is told once. Which they are follows from the trail alone: no list of what was told has to be kept.
 */
export function freshDenials({ sightings, earlier }: DenialsSince, quietUs: number): FreshDenial[] {
  const counted = new Map<string, number>();
  const denied = new Map<string, number>();
  const note = (key: string, verdict: DenialSighting["verdict"], lastUs: number) => {
    for (const times of verdict === "denied" ? [counted, denied] : [counted]) {
      times.set(key, Math.max(lastUs, times.get(key) ?? 0));
    }
  };
  for (const sighting of earlier) note(keyOf(sighting), sighting.verdict, sighting.lastUs);
  return sightings.flatMap((sighting) => {
    const key = keyOf(sighting);
    const beforeUs = (sighting.verdict === "denied" ? denied : counted).get(key);
    note(key, sighting.verdict, sighting.lastUs);
    return beforeUs === undefined || sighting.firstUs - beforeUs >= quietUs ? [{ sighting, beforeUs }] : [];
  });
}
