import type { VerdictCounters, VerdictEdge, VerdictPermit } from "../model/verdict-report.js";
import type { WantedTable } from "./wanted-table.js";

/** What is left of a lease; the kernel tells whole seconds. `permanent` is what fail-static policies hold. */
export type LeaseLife = number | "permanent";

/** One policy set as the kernel holds it now. */
export interface ScopeInForce {
  readonly scope: string;
  readonly generation: number;
  readonly leaseRemainingMs: LeaseLife | undefined; // absent: nothing is dropped on behalf of this scope
}

/** Read from the kernel, never from memory. */
export interface KernelState {
  /** `foreign`: a table of our name that no enforcer made, such as a bundle loaded by hand. `load` takes it over. */
  readonly table: "absent" | "ours" | "foreign";
  readonly scopes: readonly ScopeInForce[]; // by name
  /** The `hash` of the WantedTable that was loaded last; absent where no load was ever finished. */
  readonly wanted: string | undefined;
  /** Whether the table still is what that load left. Leases, counters, `cut` and dormancy may change, rules may not. */
  readonly isIntact: boolean;
  /** A load was begun and not finished: its process died. The next `load` finishes it; nothing was tampered with. */
  readonly isLoading: boolean;
  readonly isDormant: boolean; // paused: nothing is judged
  readonly isCutting: boolean;
  readonly isQuarantined: boolean;
  /** How full the kernel's table of connections is: new ones are lost when it is. Absent where none are tracked. */
  readonly connections: { readonly taken: number; readonly most: number } | undefined;
}

/** What the kernel counted for one scope since the last call, ready for a verdict report. */
export interface ScopeCounts {
  readonly scope: string;
  readonly generation: number;
  readonly counters: VerdictCounters;
  readonly unrecorded: number;
  readonly edges: readonly Omit<VerdictEdge, "firstUs" | "lastUs">[];
  readonly permits: readonly VerdictPermit[];
}

/** Why this host cannot be protected, or only in part, and what to do about it. */
export interface Obstacle {
  readonly code:
    | "nft-too-old"
    | "no-permission"
    | "bridge-unseen"
    | "foreign-drop"
    | "foreign-offload"
    | "conntrack-full"
    | "second-enforcer";
  /** `refuses`: do not enforce here. `warns`: enforce, but say so in reports. */
  readonly gravity: "refuses" | "warns";
  readonly text: string; // what is wrong and what to do, in one line
}

/** Who may still talk to a host in quarantine; loopback and neighbour discovery always can. */
export interface QuarantineWish {
  readonly management: readonly string[]; // CIDRs, both ways
  readonly controllers: readonly { readonly address: string; readonly port: number }[];
  /** After which the kernel opens the host again by itself; `permanent` only on the spot. */
  readonly lease: LeaseLife;
}

/**
 * The kernel of one host (one network namespace) as an enforcer sees it. All that it changes lies in the tables
 * `inet portolan` and `inet portolan_quarantine`. Calls are carried out one after the other, and each rejects with an
 * EnforcerError and leaves in force what was.
 *
 * Policy decisions are the caller's: this interface never fills a lease by itself. After drift, call `dropLeases` and then
 * `load`, and begin again in audit.
 */
export interface EnforcerKernel {
  /** Empty: the host can be protected, with what is wanted where that is known already. Changes nothing. */
  preflight(wanted?: WantedTable): Promise<readonly Obstacle[]>;

  /**
   * Makes the kernel hold exactly this table: builds the new generations beside the old, flips in one transaction, reaps.
   * No packet that both permit is lost, none that both miss passes. Leases of scopes that stay are kept; those of scopes
   * that go end. Writes nothing when the kernel holds it already. An address that moved in the inventory is a `load` of the
   * new WantedTable: the old owner's permits end in the instant in which the new owner's begin.
   */
  load(wanted: WantedTable): Promise<"unchanged" | "loaded">;

  /** From now on misses of `scope` are dropped for this long, and its renewal. Read back before it resolves. */
  lease(scope: string, life: LeaseLife): Promise<void>;
  /** Back to audit within milliseconds. Without an argument: all scopes. Harmless where there is no lease, or no table. */
  dropLease(scope?: string): Promise<void>;

  readBack(): Promise<KernelState>;

  /** Differences since the last call, or since `baseline` for the first. */
  counts(): Promise<readonly ScopeCounts[]>;
  /** Where `counts` stands, to be kept with what was reported of it and given to the next process. JSON. */
  baseline(): string;

  /** Opens the host without forgetting anything (true), and closes it again. */
  dormant(isOn: boolean): Promise<void>;
  /** Cuts the host off, established connections too, and gives it back (undefined). */
  quarantine(wish: QuarantineWish | undefined): Promise<void>;
  /** Ends connections that were noted as missed, are still not permitted, and whose scope is in deny; for this long. */
  cut(forMs: number): Promise<void>;

  /** Calls back within 2 s when somebody else changed our table: to be answered by a repair. Returns how to stop. */
  watch(onDrift: (state: KernelState) => void): () => void;

  /** Removes both tables. */
  remove(): Promise<void>;
  /** Lets another enforcer take over; the kernel keeps what it holds. */
  close(): Promise<void>;
}
