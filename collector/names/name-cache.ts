/** Limits of a name cache; all are reached by forgetting what was used longest ago. */
export interface NameCacheLimits {
  readonly graceSeconds: number; // an answer is used so long after its time to live: clients keep connections and cache
  readonly maxPairs: number; // (client, address) pairs
  readonly maxNamesPerPair: number;
}

const DEFAULT_LIMITS: NameCacheLimits = { graceSeconds: 300, maxPairs: 65_536, maxNamesPerPair: 16 };

/** Any client: what is left to go by when the resolver asks on behalf of the client that then connects. */
const ANYBODY = "";

interface Validity {
  fromUs: number;
  untilUs: number;
}

/**
 * Remembers DNS answers, to name the server addresses of flows that begin while an answer holds
 * (the join of FlowDNS, CoNEXT 2022: within the time to live plus a grace).
 */
export class NameCache {
  readonly #limits: NameCacheLimits;
  readonly #namesOfPair = new Map<string, Map<string, Validity>>(); // both in order of last use, oldest first

  constructor(limits: Partial<NameCacheLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** How many (client, address) pairs are held; every answer makes one for its client and one for anybody. */
  get size(): number {
    return this.#namesOfPair.size;
  }

  /** Notes that `client` was told at `atUs` that `name` is at `address`. Client and address are any text that is equal for equals. */
  learn(client: string, address: string, name: string, ttlSeconds: number, atUs: number): void {
    const untilUs = atUs + (ttlSeconds + this.#limits.graceSeconds) * 1_000_000;
    this.#learn(`${client} ${address}`, name, atUs, untilUs);
    if (client !== ANYBODY) this.#learn(`${ANYBODY} ${address}`, name, atUs, untilUs);
  }

  #learn(pair: string, name: string, atUs: number, untilUs: number): void {
    const names = this.#namesOfPair.get(pair) ?? new Map<string, Validity>();
    this.#namesOfPair.delete(pair);
    this.#namesOfPair.set(pair, names);
    const known = names.get(name);
    names.delete(name);
    // An answer within the last one's validity prolongs it; after a hole a new validity begins.
    const fromUs = known !== undefined && atUs <= known.untilUs ? Math.min(known.fromUs, atUs) : atUs;
    names.set(name, { fromUs, untilUs: Math.max(untilUs, known?.untilUs ?? 0) });
    forgetOldest(names, this.#limits.maxNamesPerPair);
    forgetOldest(this.#namesOfPair, this.#limits.maxPairs);
  }

  /**
   * The names by which `client` may have reached `address` at `atUs`, sorted: those it was told itself, else those that
   * anybody was told. Several mean that it cannot be known which one was meant.
   */
  lookup(client: string, address: string, atUs: number): readonly string[] {
    const own = this.#valid(`${client} ${address}`, atUs);
    return own.length > 0 ? own : this.#valid(`${ANYBODY} ${address}`, atUs);
  }

  #valid(pair: string, atUs: number): string[] {
    const names = this.#namesOfPair.get(pair);
    if (names === undefined) return [];
    this.#namesOfPair.delete(pair);
    this.#namesOfPair.set(pair, names);
    const valid: string[] = [];
    for (const [name, { fromUs, untilUs }] of names) if (atUs >= fromUs && atUs <= untilUs) valid.push(name);
    return valid.sort();
  }
}

function forgetOldest<V>(map: Map<string, V>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
