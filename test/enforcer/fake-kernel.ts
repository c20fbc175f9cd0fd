import type { Clock } from "../../enforcer/clock.js";
import type {
  EnforcerKernel,
  KernelState,
  LeaseLife,
  Obstacle,
  QuarantineWish,
  ScopeCounts,
} from "../../enforcer/enforcer-kernel.js";
import type { WantedTable } from "../../enforcer/wanted-table.js";
import type { Inventory } from "../../model/workload.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { canonicalHash } from "../../policy/trust/canonical-json.js";

/** A clock that a test moves. */
export class TestClock implements Clock {
  ms = 1_000_000;
  wall = Date.parse("2026-06-01T12:00:00Z");
  monotonicMs = () => this.ms;
  wallMs = () => this.wall;
  pass(ms: number): void {
    this.ms += ms;
    this.wall += ms;
  }
}

interface FakeTable extends WantedTable {
  readonly generations: Readonly<Record<string, number>>;
}

/** Stands for the rendered table: the driver looks at its hash alone. */
export function fakeRender(policySets: readonly PolicySet[], inventory: Inventory): WantedTable {
  const generations = Object.fromEntries(policySets.map(({ name, generation }) => [name, generation]));
  return { generations, hash: canonicalHash([policySets, inventory.workloads]) } as unknown as WantedTable;
}

/**
 * The kernel's part of the contract in memory: what is loaded, leases that run out by the clock, and every write counted.
 * `onWrite` may throw, before the write happens, as a process dies.
 */
export class FakeKernel implements EnforcerKernel {
  table: FakeTable | undefined;
  readonly leases = new Map<string, number | "permanent">();
  isIntact = true;
  isDormant = false;
  isQuarantined = false;
  connections = { taken: 10, most: 1000 };
  writes: string[] = [];
  obstacles: Obstacle[] = [];
  next: ScopeCounts[] = [];
  onWrite: (what: string) => void = () => {};
  #onDrift: (state: KernelState) => void = () => {};

  constructor(private readonly clock: Clock) {}

  #write(what: string): void {
    this.onWrite(what);
    this.writes.push(what);
  }

  preflight = async () => this.obstacles;

  async load(wanted: WantedTable): Promise<"unchanged" | "loaded"> {
    if (this.table?.hash === wanted.hash && this.isIntact) return "unchanged";
    this.#write("load");
    this.table = wanted as FakeTable;
    this.isIntact = true;
    for (const scope of this.leases.keys()) if (!(scope in this.table.generations)) this.leases.delete(scope);
    return "loaded";
  }

  async lease(scope: string, life: LeaseLife): Promise<void> {
    this.#write(`lease ${scope} ${life}`);
    this.leases.set(scope, life === "permanent" ? life : this.clock.monotonicMs() + life);
  }

  async dropLease(scope?: string): Promise<void> {
    this.#write(`drop-lease ${scope ?? "*"}`);
    if (scope === undefined) this.leases.clear();
    else this.leases.delete(scope);
  }

  /** Whether misses of the scope are dropped now. */
  drops(scope: string): boolean {
    const until = this.leases.get(scope);
    return (
      this.table !== undefined && until !== undefined && (until === "permanent" || until > this.clock.monotonicMs())
    );
  }

  async readBack(): Promise<KernelState> {
    const { table } = this;
    const scopes = Object.entries(table?.generations ?? {}).map(([scope, generation]) => {
      const until = this.leases.get(scope);
      const left = until === "permanent" || until === undefined ? until : until - this.clock.monotonicMs();
      const leaseRemainingMs = this.drops(scope) ? left : undefined;
      return { scope, generation, leaseRemainingMs };
    });
    return {
      table: table === undefined ? "absent" : "ours",
      scopes,
      wanted: table?.hash,
      isIntact: this.isIntact,
      isLoading: false,
      isDormant: this.isDormant,
      isCutting: false,
      isQuarantined: this.isQuarantined,
      connections: this.connections,
    };
  }

  async counts(): Promise<readonly ScopeCounts[]> {
    return this.next.splice(0);
  }

  baseline = () => "";

  async dormant(isOn: boolean): Promise<void> {
    this.#write(`dormant ${isOn}`);
    this.isDormant = isOn;
  }

  async quarantine(wish: QuarantineWish | undefined): Promise<void> {
    this.#write(`quarantine ${wish !== undefined}`);
    this.isQuarantined = wish !== undefined;
  }

  cut = async () => this.#write("cut");
  watch(onDrift: (state: KernelState) => void): () => void {
    this.#onDrift = onDrift;
    return () => {};
  }

  remove = async () => this.#write("remove");
  close = async () => {};

  /** Another process changes our table, and it is noticed. */
  async tamper(): Promise<void> {
    this.isIntact = false;
    this.#onDrift(await this.readBack());
  }

  /** What another process does to our table. */
  flushRuleset(): void {
    this.table = undefined;
    this.leases.clear();
  }
}
