import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import type { TablePlan } from "../policy/formats/nftables/host-ruleset.js";
import { scopeText, TABLE } from "../policy/formats/nftables/nft-text.js";
import { leaseText } from "../policy/formats/nftables/ruleset-text.js";
import { type CountBaseline, emptyBaseline } from "./count-baseline.js";
import { countEdges, countPermits } from "./count-edges.js";
import { EnforcerError } from "./enforcer-error.js";
import type {
  EnforcerKernel,
  KernelState,
  LeaseLife,
  Obstacle,
  QuarantineWish,
  ScopeCounts,
} from "./enforcer-kernel.js";
import { type KernelListing, type ListedElement, readListing } from "./kernel-listing.js";
import { leftovers, planLoad, reapText } from "./load-steps.js";
import { Nft, type NftOptions } from "./nft.js";
import { ownerOf, readRecord } from "./owner-record.js";
import { connectionTable, preflight } from "./preflight.js";
import { QUARANTINE_TABLE, quarantineText } from "./quarantine-text.js";
import { readTable } from "./read-table.js";
import type { WantedTable } from "./wanted-table.js";

export interface KernelOptions extends NftOptions {
  readonly host: string; // id of the workload that this host is
  /** What `baseline()` said when the last reports were made; without it everything in the kernel counts as new. */
  readonly baseline?: string;
}

const LIST_COUNTERS = `list counters table ${TABLE}`;
const LIST_QUARANTINE = `list table ${QUARANTINE_TABLE}`;

/** Foreign changes are looked for at least this often; usually the kernel tells of them at once. */
const POLL_MS = 30_000;
/** Several changes in a row are one. */
const SETTLE_MS = 200;

/** What is left of a lease: of the family whose part ends first. */
function lifeOf(elements: readonly ListedElement[] = []): LeaseLife | undefined {
  const lives = elements.map(
    ({ timeoutS, expiresS }): LeaseLife => (timeoutS === undefined ? "permanent" : (expiresS ?? 0) * 1000),
  );
  const timed = lives.filter((life): life is number => life !== "permanent");
  if (lives.length === 0) return undefined;
  return timed.length === 0 ? "permanent" : Math.min(...timed);
}

/** A name in the kernel's list of sockets, which belongs to one network namespace and ends with its process. */
function takeLock(name: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      const text = "Cannot look after this host: another enforcer does; stop it first";
      return reject(new EnforcerError("second-enforcer", text, { cause: error }));
    });
    server.listen(`\0${name}`, () => {
      server.unref();
      resolve(server);
    });
  });
}

/**
 * Takes charge of the kernel of this network namespace. Changes nothing in it.
 * @throws {EnforcerError} `second-enforcer` if another process has it in charge
 * @throws {SyntaxError} If the baseline is none.
 */
export async function openKernel(options: KernelOptions): Promise<EnforcerKernel> {
  const { wrap = [], baseline } = options;
  // Loaded where it is wanted: without a baseline the kernel is opened in an emergency, which shall not wait.
  const counted = baseline === undefined ? undefined : (await import("./parse-baseline.js")).parseBaseline(baseline);
  const lock = await takeLock(["portolan-enforcer", ...wrap].join(" "));
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  return new NftKernel(options, boot, counted ?? emptyBaseline(boot, 0), lock);
}

class NftKernel implements EnforcerKernel {
  readonly #nft: Nft;
  readonly #owner: string;
  #plan: TablePlan | undefined;
  #baseline: CountBaseline;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: KernelOptions,
    private readonly boot: string,
    baseline: CountBaseline,
    private readonly lock: Server,
  ) {
    this.#nft = new Nft(options);
    this.#owner = ownerOf(options.host);
    this.#baseline = baseline;
  }

  preflight(wanted?: WantedTable): Promise<readonly Obstacle[]> {
    return this.#inTurn(() => preflight(this.#nft, this.options, wanted?.plan ?? this.#plan));
  }

  load(wanted: WantedTable): Promise<"unchanged" | "loaded"> {
    return this.#inTurn(async () => {
      const before = await readTable(this.#nft);
      const plan = planLoad(wanted, before);
      this.#plan = wanted.plan;
      if (plan === undefined) return "unchanged";
      try {
        await this.#nft.apply(plan.build);
        await this.#nft.apply(plan.flip);
      } catch (error) {
        // What bears one of our names may be of another kind: then nothing but a new table helps.
        const isForeign = before !== undefined && readRecord(before).kind === "none";
        if (!(error instanceof EnforcerError) || error.code !== "rejected" || !isForeign) throw error;
        await this.#nft.apply(`delete table ${TABLE}\n${plan.build}${plan.flip}`);
      }
      const after = await readTable(this.#nft);
      if (after === undefined) throw new EnforcerError("rejected", `Cannot load ${TABLE}: it vanished while loading`);
      this.#keepHits(after, leftovers(after, plan.names));
      await this.#nft.apply(reapText(wanted, plan, after));
      return "loaded";
    });
  }

  lease(scope: string, life: LeaseLife): Promise<void> {
    return this.#inTurn(async () => {
      await this.#nft.apply(life === "permanent" ? leaseText(scope, "deny") : leaseText(scope, "deny", life));
      const [objects = []] = await this.#nft.list(`list set ${TABLE} lease_${scopeText(scope)}`);
      const elements = (objects as { set?: { elem?: unknown[] } }[]).flatMap(({ set }) => set?.elem ?? []);
      if (elements.length !== 2) {
        throw new EnforcerError("lease-not-kept", `Cannot lease deny to "${scope}": the kernel does not hold it`);
      }
    });
  }

  dropLease(scope?: string): Promise<void> {
    return this.#inTurn(async () => {
      const scopes = scope === undefined ? await this.#leasedScopes() : [scope];
      if (scopes.length === 0) return;
      try {
        await this.#nft.apply(scopes.map((each) => leaseText(each, "audit")).join(""));
      } catch (error) {
        const isAbsent = error instanceof EnforcerError && /No such file/.test(error.message);
        if (!isAbsent) throw error;
      }
    });
  }

  readBack(): Promise<KernelState> {
    return this.#inTurn(() => this.#state());
  }

  counts(): Promise<readonly ScopeCounts[]> {
    return this.#inTurn(async () => {
      const [counters = []] = await this.#nft.list(LIST_COUNTERS);
      const read = readListing([{ table: {} }, ...counters]);
      const listing = await readTable(this.#nft);
      if (listing === undefined || read === undefined) return [];
      const rulesets = this.#plan?.scopes ?? [];
      const { counts, after } = countEdges(this.#baseline, this.boot, read, listing, rulesets);
      this.#baseline = after;
      return counts;
    });
  }

  baseline(): string {
    return JSON.stringify(this.#baseline);
  }

  dormant(isOn: boolean): Promise<void> {
    return this.#inTurn(() => this.#nft.apply(`add table ${TABLE}${isOn ? " { flags dormant; }" : ""}\n`));
  }

  quarantine(wish: QuarantineWish | undefined): Promise<void> {
    const text = `add table ${QUARANTINE_TABLE}\ndelete table ${QUARANTINE_TABLE}\n`;
    return this.#inTurn(() => this.#nft.apply(wish === undefined ? text : quarantineText(wish)));
  }

  cut(forMs: number): Promise<void> {
    const until = `timeout ${Math.ceil(forMs)}ms`;
    const text = `flush set ${TABLE} cut\nadd element ${TABLE} cut { ipv4 ${until}, ipv6 ${until} }\n`;
    return this.#inTurn(() => this.#nft.apply(text));
  }

  watch(onDrift: (state: KernelState) => void): () => void {
    let timer: NodeJS.Timeout;
    let isStopped = false;
    const look = async () => {
      const state = await this.readBack().catch(() => undefined);
      if (isStopped) return;
      timer = setTimeout(look, POLL_MS).unref();
      const isAsLoaded = state?.table === "ours" && (state.isIntact || state.isLoading);
      if (state !== undefined && !isAsLoaded) onDrift(state);
    };
    timer = setTimeout(look, POLL_MS).unref();
    const stop = this.#nft.monitor(({ isOurs }) => {
      if (isOurs) return;
      clearTimeout(timer);
      timer = setTimeout(look, SETTLE_MS).unref();
    });
    return () => {
      isStopped = true;
      clearTimeout(timer);
      stop();
    };
  }

  remove(): Promise<void> {
    const tables = [TABLE, QUARANTINE_TABLE];
    const text = tables.map((table) => `add table ${table}\ndelete table ${table}\n`).join("");
    return this.#inTurn(() => this.#nft.apply(text));
  }

  async close(): Promise<void> {
    await this.#inTurn(() => new Promise<void>((resolve) => this.lock.close(() => resolve())));
  }

  /** One after the other: a reading in the middle of a load would see neither table. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Scopes that have a lease set, from the plan or, before the first load, from the kernel. */
  async #leasedScopes(): Promise<string[]> {
    if (this.#plan !== undefined) return this.#plan.scopes.map(({ policySet }) => policySet);
    const sets = [...((await readTable(this.#nft))?.sets.keys() ?? [])];
    return sets.filter((name) => name.startsWith("lease_")).map((name) => name.slice("lease_".length));
  }

  async #state(): Promise<KernelState> {
    const listing = await readTable(this.#nft);
    const [quarantine = []] = await this.#nft.list(LIST_QUARANTINE);
    const held = readListing(quarantine);
    const reading = listing === undefined ? undefined : readRecord(listing);
    const always = {
      isDormant: listing?.isDormant ?? false,
      isCutting: (listing?.sets.get("cut") ?? []).length > 0,
      // One that was made by hand has no lease, and does not end.
      isQuarantined: held !== undefined && (!held.sets.has("lease") || lifeOf(held.sets.get("lease")) !== undefined),
      connections: await connectionTable(this.options.wrap),
    };
    const nothing = { scopes: [], wanted: undefined, isIntact: false, isLoading: reading?.kind === "loading" };
    if (listing === undefined || reading === undefined) return { table: "absent", ...nothing, ...always };
    if (reading.kind === "none") return { table: "foreign", ...nothing, ...always };
    const owner = reading.kind === "loaded" ? reading.record.owner : reading.owner;
    const table = owner === this.#owner ? "ours" : "foreign";
    if (reading.kind === "loading") return { table, ...nothing, ...always };
    const { record } = reading;
    return {
      table,
      scopes: record.scopes.map(({ scope, generation }) => ({
        scope,
        generation,
        leaseRemainingMs: lifeOf(listing.sets.get(`lease_${scope}`)),
      })),
      wanted: record.wanted,
      isIntact: listing.hash() === record.kernel,
      isLoading: false,
      ...always,
    };
  }

  /** The hits of permits that are about to be reaped belong to the next counts. */
  #keepHits(listing: KernelListing, gone: ReadonlySet<string>): void {
    const sets = new Map([...listing.sets].filter(([name]) => gone.has(name)));
    const isSame = this.#baseline.boot === this.boot && this.#baseline.handle === listing.handle;
    const before = isSame ? this.#baseline : emptyBaseline(this.boot, listing.handle);
    for (const [scope, hits] of countPermits(before, { ...listing, sets }, this.#plan?.scopes ?? [], {})) {
      const kept = { ...this.#baseline.reaped[scope] };
      for (const [rule, packets] of hits) kept[rule] = (kept[rule] ?? 0) + packets;
      this.#baseline.reaped[scope] = kept;
    }
  }
}
