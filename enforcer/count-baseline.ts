/** How far one scope has been told. */
interface Told {
  readonly missed: number; // packets; these four add up since the table was made
  readonly repeated: number;
  readonly attributed: number; // attempts that stood in edges
  readonly unrecorded: number; // as told
}

/**
 * Where the counting stands: what the kernel had counted when it was last asked. Kept with the reports that were made of
 * it, so that the next process neither loses nor repeats a packet.
 */
export interface CountBaseline {
  readonly version: 1;
  readonly boot: string; // of the machine
  readonly handle: number; // of the table
  readonly counters: Record<string, number>;
  readonly edges: Record<string, number>; // packets by "SET KEY"
  readonly permits: Record<string, number>;
  readonly told: Record<string, Told>;
  /** Hits of permits whose generation was reaped after the last report, by scope and rule. */
  readonly reaped: Record<string, Record<string, number>>;
}

export function emptyBaseline(boot: string, handle: number): CountBaseline {
  return { version: 1, boot, handle, counters: {}, edges: {}, permits: {}, told: {}, reaped: {} };
}
