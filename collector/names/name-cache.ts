import type { ObservedName } from "../../model/flow-record.js";
import { WordInterner } from "../../model/word-interner.js";
import { type NameLists, NO_NAMES } from "../name-lists.js";

/** Limits of a name cache. */
export interface NameCacheLimits {
  readonly graceSeconds: number; // an answer is used so long after its time to live: clients keep connections and cache
  readonly maxPairs: number; // (client, server) pairs, and servers; the half that was learned first is forgotten
  readonly maxNamesPerPair: number; // the one that was told longest ago is forgotten
}

const DEFAULT_LIMITS: NameCacheLimits = { graceSeconds: 300, maxPairs: 65_536, maxNamesPerPair: 16 };

interface Answer {
  readonly name: ObservedName;
  fromUs: number;
  untilUs: number;
}

/** What anybody was told of one server: all there is to go by when the resolver asks on behalf of the client. */
interface Server {
  readonly answers: Answer[]; // the one told last is the last
  list: number; // of all answers, sorted; see NameLists
  fromUs: number; // from then
  untilUs: number; // to then all answers hold
}

/** What single clients were told: tens of thousands of pairs, and therefore in typed arrays. */
class Pairs {
  private readonly keys = new WordInterner(4);
  private lists = new Int32Array(16);
  private times = new Float64Array(32); // from and until

  get size(): number {
    return this.keys.size;
  }

  private setKey(client: number, server: number): void {
    const { key } = this.keys;
    key[0] = client;
    key[1] = Math.floor(client / 0x1_0000_0000);
    key[2] = server;
    key[3] = Math.floor(server / 0x1_0000_0000);
  }

  find(client: number, server: number): number {
    this.setKey(client, server);
    return this.keys.find();
  }

  /** The names that hold for a pair at `atUs`. */
  listAt(client: number, server: number, atUs: number): number {
    if (this.keys.size === 0) return NO_NAMES;
    const pair = this.find(client, server);
    return pair >= 0 && atUs >= this.fromUs(pair) && atUs <= this.untilUs(pair) ? this.listOf(pair) : NO_NAMES;
  }

  listOf(pair: number): number {
    return this.lists[pair]!;
  }

  fromUs(pair: number): number {
    return this.times[pair * 2]!;
  }

  untilUs(pair: number): number {
    return this.times[pair * 2 + 1]!;
  }

  set(client: number, server: number, list: number, fromUs: number, untilUs: number): void {
    this.setKey(client, server);
    const pair = this.keys.intern();
    if (pair === this.lists.length) {
      const lists = new Int32Array(pair * 2);
      lists.set(this.lists);
      this.lists = lists;
      const times = new Float64Array(pair * 4);
      times.set(this.times);
      this.times = times;
    }
    this.lists[pair] = list;
    this.times[pair * 2] = fromUs;
    this.times[pair * 2 + 1] = untilUs;
  }
}

class Generation {
  readonly pairs = new Pairs();
  readonly servers = new Map<number, Server>();
}

/**
 * Remembers DNS answers, to name the servers of flows that begin while an answer holds (the join of FlowDNS, CoNEXT
 * 2022: within the time to live plus a grace). Clients and servers are whole numbers below 2 ** 52, equal for equals;
 * names are numbers of `lists`.
 */
export class NameCache {
  readonly #limits: NameCacheLimits;
  #younger = new Generation();
  #older = new Generation();

  constructor(
    readonly lists: NameLists,
    limits: Partial<NameCacheLimits> = {},
  ) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Notes that `client` was told at `atUs` that `name` is at `server`; no client means everybody, as multicast DNS does. */
  learn(client: number | undefined, server: number, name: string, ttlSeconds: number, atUs: number): void {
    const untilUs = atUs + (ttlSeconds + this.#limits.graceSeconds) * 1_000_000;
    const { pairs, servers } = this.#younger;
    if (Math.max(pairs.size, servers.size) >= this.#limits.maxPairs / 2) {
      this.#older = this.#younger;
      this.#younger = new Generation();
    }
    this.#tellAnybody(server, name, atUs, untilUs);
    if (client !== undefined) this.#tell(client, server, name, atUs, untilUs);
  }

  /** Of one client, names that were told without a hole between them hold together. */
  #tell(client: number, server: number, name: string, atUs: number, untilUs: number): void {
    let { pairs } = this.#younger;
    let pair = pairs.find(client, server);
    if (pair < 0) {
      pairs = this.#older.pairs;
      pair = pairs.find(client, server);
    }
    let list = NO_NAMES;
    let fromUs = atUs;
    if (pair >= 0 && atUs <= pairs.untilUs(pair)) {
      list = pairs.listOf(pair);
      fromUs = Math.min(atUs, pairs.fromUs(pair));
      untilUs = Math.max(untilUs, pairs.untilUs(pair));
    }
    this.#younger.pairs.set(client, server, this.#withName(list, name), fromUs, untilUs);
  }

  #withName(list: number, name: string): number {
    const names = this.lists.at(list);
    if (names.some((known) => known.name === name)) return list;
    if (names.length === 0) return this.lists.ofAnswer(name);
    const kept = names.slice(-(this.#limits.maxNamesPerPair - 1));
    return this.lists.idOf(sorted([...kept, { name, source: "dns" }]));
  }

  #tellAnybody(server: number, name: string, atUs: number, untilUs: number): void {
    const { servers } = this.#younger;
    let told = servers.get(server);
    if (told === undefined) {
      told = this.#older.servers.get(server) ?? { answers: [], list: NO_NAMES, fromUs: 0, untilUs: 0 };
      servers.set(server, told);
    }
    const { answers } = told;
    const [only] = answers;
    if (answers.length === 1 && only?.name.name === name) {
      prolong(only, atUs, untilUs);
      told.fromUs = only.fromUs;
      told.untilUs = only.untilUs;
      return;
    }
    const at = answers.findIndex((answer) => answer.name.name === name);
    const known = answers[at];
    if (known === undefined) {
      answers.push({ name: { name, source: "dns" }, fromUs: atUs, untilUs });
      if (answers.length > this.#limits.maxNamesPerPair) answers.shift();
      told.list = this.lists.idOf(sorted(answers.map((answer) => answer.name)));
    } else {
      prolong(known, atUs, untilUs);
      if (at < answers.length - 1) answers.push(...answers.splice(at, 1));
    }
    told.fromUs = Number.NEGATIVE_INFINITY;
    told.untilUs = Number.POSITIVE_INFINITY;
    for (const answer of answers) {
      told.fromUs = Math.max(told.fromUs, answer.fromUs);
      told.untilUs = Math.min(told.untilUs, answer.untilUs);
    }
  }

  /**
   * The names by which `client` may have reached `server` at `atUs`, a list sorted by name: those it was told itself,
   * else those that anybody was told. Several mean that it cannot be known which one was meant.
   */
  lookup(client: number, server: number, atUs: number): number {
    const told = this.#younger.servers.get(server) ?? this.#older.servers.get(server);
    if (told === undefined) return NO_NAMES; // what nobody was told, the client was not told either
    const isKnown = atUs >= told.fromUs && atUs <= told.untilUs;
    if (isKnown && told.answers.length === 1) return told.list; // nor what is not told of this server
    const own = this.#younger.pairs.listAt(client, server, atUs);
    if (own !== NO_NAMES) return own;
    const earlier = this.#older.pairs.listAt(client, server, atUs);
    if (earlier !== NO_NAMES) return earlier;
    if (isKnown) return told.list;
    const valid = told.answers.filter(({ fromUs, untilUs }) => atUs >= fromUs && atUs <= untilUs);
    return this.lists.idOf(sorted(valid.map(({ name }) => name)));
  }
}

/** An answer within the last one's validity prolongs it; after a hole a new validity begins. */
function prolong(answer: Answer, atUs: number, untilUs: number): void {
  answer.fromUs = atUs <= answer.untilUs ? Math.min(answer.fromUs, atUs) : atUs;
  answer.untilUs = Math.max(answer.untilUs, untilUs);
}

function sorted(names: readonly ObservedName[]): readonly ObservedName[] {
  return [...names].sort((a, b) => (a.name < b.name ? -1 : 1));
}
