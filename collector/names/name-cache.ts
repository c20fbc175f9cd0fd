import type { ObservedName } from "../../model/flow-record.js";

/** Limits of a name cache. */
export interface NameCacheLimits {
  readonly graceSeconds: number; // an answer is used so long after its time to live: clients keep connections and cache
  readonly maxPairs: number; // (client, server) pairs; the half that was learned first is forgotten
  readonly maxNamesPerPair: number; // the one that was told longest ago is forgotten
}

const DEFAULT_LIMITS: NameCacheLimits = { graceSeconds: 300, maxPairs: 65_536, maxNamesPerPair: 16 };

const NO_NAMES: readonly ObservedName[] = [];

interface Answer {
  readonly name: ObservedName;
  readonly fromUs: number;
  readonly untilUs: number;
}

/** What somebody was told of one server. */
interface Told {
  readonly answers: readonly Answer[]; // oldest first
  readonly names: readonly ObservedName[]; // of all answers, sorted: handed out as it is, so that a lookup costs no object
  readonly fromUs: number; // from then
  readonly untilUs: number; // to then all answers hold
}

interface Server {
  anybody: Told | undefined; // what is left to go by when the resolver asks on behalf of the client that then connects
  readonly clients: Map<number, Told>;
}

type Generation = Map<number, Server>;

/**
 * Remembers DNS answers, to name the servers of flows that begin while an answer holds (the join of FlowDNS, CoNEXT
 * 2022: within the time to live plus a grace). Clients and servers are any whole numbers that are equal for equals.
 */
export class NameCache {
  readonly #limits: NameCacheLimits;
  #younger: Generation = new Map();
  #older: Generation = new Map();
  #youngerPairs = 0;

  constructor(limits: Partial<NameCacheLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Whether anything was learned that is not forgotten. */
  get isEmpty(): boolean {
    return this.#younger.size === 0 && this.#older.size === 0;
  }

  /** Notes that `client` was told at `atUs` that `name` is at `server`; no client means everybody, as multicast DNS does. */
  learn(client: number | undefined, server: number, name: string, ttlSeconds: number, atUs: number): void {
    const untilUs = atUs + (ttlSeconds + this.#limits.graceSeconds) * 1_000_000;
    const answer: Answer = { name: { name, source: "dns" }, fromUs: atUs, untilUs };
    const older = this.#older.get(server);
    const younger = this.#serverFor(server);
    younger.anybody = this.#join(younger.anybody ?? older?.anybody, answer);
    if (client === undefined) return;
    const before = younger.clients.get(client);
    if (before === undefined) this.#youngerPairs++;
    younger.clients.set(client, this.#join(before ?? older?.clients.get(client), answer));
  }

  /** What is known of `server` in the younger generation, which gives way to a new one when it is full. */
  #serverFor(server: number): Server {
    if (this.#youngerPairs >= this.#limits.maxPairs / 2) {
      this.#older = this.#younger;
      this.#younger = new Map();
      this.#youngerPairs = 0;
    }
    let known = this.#younger.get(server);
    if (known === undefined) {
      known = { anybody: undefined, clients: new Map() };
      this.#younger.set(server, known);
      this.#youngerPairs++;
    }
    return known;
  }

  #join(before: Told | undefined, answer: Answer): Told {
    const known = before?.answers.find(({ name }) => name.name === answer.name.name);
    if (before === undefined || known === undefined) {
      return told([...(before?.answers ?? []), answer].slice(-this.#limits.maxNamesPerPair));
    }
    // An answer within the last one's validity prolongs it; after a hole a new validity begins.
    const joined: Answer = {
      name: known.name,
      fromUs: answer.fromUs <= known.untilUs ? Math.min(known.fromUs, answer.fromUs) : answer.fromUs,
      untilUs: Math.max(known.untilUs, answer.untilUs),
    };
    return told([...before.answers.filter((other) => other !== known), joined], before.names);
  }

  /**
   * The names by which `client` may have reached `server` at `atUs`, sorted: those it was told itself, else those that
   * anybody was told. Several mean that it cannot be known which one was meant.
   */
  lookup(client: number, server: number, atUs: number): readonly ObservedName[] {
    const younger = this.#younger.get(server);
    const older = this.#older.size === 0 ? undefined : this.#older.get(server);
    if (younger === undefined && older === undefined) return NO_NAMES;
    const own = namesAt(younger?.clients.get(client) ?? older?.clients.get(client), atUs);
    return own.length > 0 ? own : namesAt(younger?.anybody ?? older?.anybody, atUs);
  }
}

function sortedNames(answers: readonly Answer[]): readonly ObservedName[] {
  return answers.map(({ name }) => name).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function told(answers: readonly Answer[], names: readonly ObservedName[] = sortedNames(answers)): Told {
  let fromUs = Number.NEGATIVE_INFINITY;
  let untilUs = Number.POSITIVE_INFINITY;
  for (const answer of answers) {
    fromUs = Math.max(fromUs, answer.fromUs);
    untilUs = Math.min(untilUs, answer.untilUs);
  }
  return { answers, names, fromUs, untilUs };
}

function namesAt(known: Told | undefined, atUs: number): readonly ObservedName[] {
  if (known === undefined) return NO_NAMES;
  if (atUs >= known.fromUs && atUs <= known.untilUs) return known.names;
  return sortedNames(known.answers.filter(({ fromUs, untilUs }) => atUs >= fromUs && atUs <= untilUs));
}
