import { type IpAddress, parseAddress } from "../../model/address.js";
import { parseCidr } from "../../model/cidr.js";
import type { AddressInterval, Inventory, Workload } from "../../model/workload.js";
import { ADDRESS_LINE_END, addressAt, addressPoint, cidrBounds, FIRST_IPV6 } from "./address-line.js";

/** A workload as it is reached at one of its addresses; without an address it is reached by selectors only. */
export interface WorkloadPoint {
  readonly workload: Workload;
  readonly number: number; // of the workload in the inventory
  readonly address: IpAddress | undefined;
  readonly atom: number; // the interval of the address line that is this address; -1 without an address
}

/** Intervals of atoms, sorted and disjoint: [start, end, start, end, ...], ends excluded. */
export type AtomRanges = readonly number[];

/** Whether the interval is in force at `atUs`; without a time, whether it is in force for good. */
function isInForce(interval: AddressInterval, atUs: number | undefined): boolean {
  if (atUs === undefined) return interval.untilUs === undefined;
  return (interval.fromUs ?? -Infinity) <= atUs && atUs < (interval.untilUs ?? Infinity);
}

/**
 * Every end that traffic can have, as small whole numbers:
 *
 *     0 .. W-1        workload points: one per workload and address, one for a workload without any
 *     W .. W+A-1      atoms: the intervals into which all CIDRs and workload addresses cut the address line
 *
 * Two addresses of one atom are told apart by nothing that was given, so an atom stands for all of them. An atom that
 * is a workload's address is never an end by itself: its workload point is.
 */
export class EndSpace {
  readonly workloadPoints: readonly WorkloadPoint[];
  readonly atomCount: number;
  readonly #starts: bigint[]; // of each atom, ascending
  readonly #ipv4Starts: Float64Array; // the same for IPv4, in the faster type
  readonly #owners: Int32Array; // workload point of each atom, or -1
  readonly #pointsByWorkload = new Map<string, number[]>();

  constructor(inventory: Inventory, cidrs: Iterable<string>, atUs: number | undefined) {
    const reached = inventory.workloads.flatMap((workload, number) => {
      const held = workload.addresses.filter((interval) => isInForce(interval, atUs));
      const addresses = held.length === 0 ? [undefined] : held.map((interval) => parseAddress(interval.address));
      return addresses.map((address) => ({ workload, number, address }));
    });
    const cuts = new Set<bigint>([0n, FIRST_IPV6]);
    for (const cidr of cidrs) for (const bound of cidrBounds(parseCidr(cidr))) cuts.add(bound);
    for (const { address } of reached) {
      if (address === undefined) continue;
      cuts.add(addressPoint(address));
      cuts.add(addressPoint(address) + 1n);
    }
    cuts.delete(ADDRESS_LINE_END);
    this.#starts = [...cuts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.atomCount = this.#starts.length;
    this.#ipv4Starts = Float64Array.from(this.#starts.filter((start) => start < FIRST_IPV6).map(Number));
    this.#owners = new Int32Array(this.atomCount).fill(-1);
    this.workloadPoints = reached.map((end, point) => {
      const atom = end.address === undefined ? -1 : this.#atomAt(addressPoint(end.address));
      // Of several workloads behind one address (host network) the first in the inventory answers for it.
      if (atom >= 0 && this.#owners[atom] === -1) this.#owners[atom] = point;
      const points = this.#pointsByWorkload.get(end.workload.id);
      if (points === undefined) this.#pointsByWorkload.set(end.workload.id, [point]);
      else points.push(point);
      return { ...end, atom };
    });
  }

  /** The atom that holds a point of the address line. */
  #atomAt(point: bigint): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#starts[middle]! <= point) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #atomOfIpv4(value: number): number {
    const starts = this.#ipv4Starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle]! <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The end that answers at `address`: a workload point where one has it, else the atom around it. */
  pointOfAddress(address: IpAddress): number {
    const atom = address.family === 4 ? this.#atomOfIpv4(Number(address.value)) : this.#atomAt(addressPoint(address));
    const owner = this.#owners[atom]!;
    return owner >= 0 ? owner : this.workloadPoints.length + atom;
  }

  /** Points of a workload in the order of its addresses; empty when the inventory does not know it. */
  pointsOfWorkload(id: string): readonly number[] {
    return this.#pointsByWorkload.get(id) ?? [];
  }

  /** The atoms inside `cidr`. */
  atomsOfCidr(cidr: string): AtomRanges {
    const [start, end] = cidrBounds(parseCidr(cidr));
    return [this.#atomAt(start), end === ADDRESS_LINE_END ? this.atomCount : this.#atomAt(end)];
  }

  isOutsider(atom: number): boolean {
    return this.#owners[atom] === -1;
  }

  /** 4 or 6; 0 for a workload without an address, which may meet either. */
  familyOf(point: number): 0 | 4 | 6 {
    const workload = this.workloadPoints[point];
    if (workload !== undefined) return workload.address?.family ?? 0;
    return this.#starts[point - this.workloadPoints.length]! < FIRST_IPV6 ? 4 : 6;
  }

  /** A run of atoms cut where IPv6 begins. */
  atomsByFamily(start: number, end: number): readonly (readonly [start: number, end: number])[] {
    const border = this.#ipv4Starts.length;
    if (end <= border || start >= border) return [[start, end]];
    return [
      [start, border],
      [border, end],
    ];
  }

  lastAddressOfAtom(atom: number): IpAddress {
    return addressAt((this.#starts[atom + 1] ?? ADDRESS_LINE_END) - 1n);
  }

  /** The first address of an atom: one that stands for all. */
  addressOfAtom(atom: number): IpAddress {
    return addressAt(this.#starts[atom]!);
  }
}
