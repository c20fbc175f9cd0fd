import { parseAddress } from "../model/address.js";
import type { AddressRange } from "../model/cidr.js";
import type { VerdictEdge } from "../model/verdict-report.js";
import type { HostRuleset, PermitKind, PermitSet } from "../policy/formats/nftables/host-ruleset.js";

/** Addresses at both ends and a stretch of services; see `PermitSet` for what the numbers count. */
interface Box {
  readonly remote: AddressRange;
  readonly local: AddressRange;
  readonly first: number;
  readonly last: number;
}

type Place = Pick<PermitSet, "direction" | "family" | "kind">;

const placeKey = ({ direction, family, kind }: Place) => `${direction}${family}${kind}`;
const boxKey = ({ remote, local, first, last }: Box) =>
  `${remote.first}-${remote.last} ${local.first}-${local.last} ${first}-${last}`;

/** Whole protocols in one set permit what sets of ports and of ICMP types would. */
function inKind(set: PermitSet, kind: PermitKind, family: 4 | 6): Box[] {
  if (set.kind === kind) return [...set.boxes];
  if (set.kind !== "protocol") return [];
  if (kind === "ports") {
    return set.boxes.map((box) => ({ ...box, first: box.first << 16, last: (box.last << 16) | 0xffff }));
  }
  const icmp = family === 4 ? 1 : 58;
  return set.boxes
    .filter((box) => box.first <= icmp && icmp <= box.last)
    .map((box) => ({ ...box, first: 0, last: 0xffff }));
}

function boxesAt(ruleset: HostRuleset, place: Place): Box[] {
  return ruleset.permits
    .filter((set) => set.direction === place.direction && set.family === place.family)
    .flatMap((set) => inKind(set, place.kind, place.family));
}

function meets(a: Box, b: Box): boolean {
  const overlap = (x: AddressRange, y: AddressRange) => x.first <= y.last && y.first <= x.last;
  return overlap(a.remote, b.remote) && overlap(a.local, b.local) && a.first <= b.last && b.first <= a.last;
}

/** What is left of `box` when `cut`, which meets it, is taken out: at most two pieces on each axis. */
function without(box: Box, cut: Box): Box[] {
  const pieces: Box[] = [];
  let rest = box;
  for (const axis of ["remote", "local"] as const) {
    const [range, gone] = [rest[axis], cut[axis]];
    if (range.first < gone.first) pieces.push({ ...rest, [axis]: { ...range, last: gone.first - 1n } });
    if (range.last > gone.last) pieces.push({ ...rest, [axis]: { ...range, first: gone.last + 1n } });
    const first = range.first < gone.first ? gone.first : range.first;
    const last = range.last > gone.last ? gone.last : range.last;
    rest = { ...rest, [axis]: { ...range, first, last } };
  }
  if (rest.first < cut.first) pieces.push({ ...rest, last: cut.first - 1 });
  if (rest.last > cut.last) pieces.push({ ...rest, first: cut.last + 1 });
  return pieces;
}

/** More pieces than this are not followed: the answer is then that the box is not covered, the careful one. */
const MOST_PIECES = 4096;

function isCovered(box: Box, covers: readonly Box[]): boolean {
  let left = [box];
  for (const cover of covers) {
    left = left.flatMap((piece) => (meets(piece, cover) ? without(piece, cover) : [piece]));
    if (left.length === 0) return true;
    if (left.length > MOST_PIECES) return false;
  }
  return false;
}

/** Whether `after` isolates in no direction that `before` left open, and permits everything that `before` permitted. */
export function permitsAllOf(after: HostRuleset, before: HostRuleset): boolean {
  if (!after.directions.every((direction) => before.directions.includes(direction))) return false;
  return before.permits
    .filter(({ direction }) => after.directions.includes(direction))
    .every((set) => {
      const covers = boxesAt(after, set);
      const same = new Set(covers.map((box) => `${placeKey(set)} ${boxKey(box)}`));
      return set.boxes.every((box) => same.has(`${placeKey(set)} ${boxKey(box)}`) || isCovered(box, covers));
    });
}

type EdgeKey = Pick<VerdictEdge, "direction" | "client" | "server" | "protocol" | "port">;

/** Whether the ruleset permits an edge that a kernel noted. */
export function permitsEdge(ruleset: HostRuleset, edge: EdgeKey): boolean {
  const isIngress = edge.direction === "ingress";
  const [remote, local] = (isIngress ? [edge.client, edge.server] : [edge.server, edge.client]).map(parseAddress);
  const holds = (range: AddressRange, value: bigint) => range.first <= value && value <= range.last;
  const pointIn: Record<PermitKind, number | undefined> = {
    ports: [6, 17, 132].includes(edge.protocol) ? (edge.protocol << 16) | edge.port : undefined,
    icmp: edge.protocol === 1 || edge.protocol === 58 ? edge.port : undefined,
    protocol: edge.protocol,
  };
  return ruleset.permits.some((set) => {
    const point = pointIn[set.kind];
    const ingress = ["in", "to"].includes(set.direction);
    if (point === undefined || ingress !== isIngress || set.family !== remote?.family) return false;
    return set.boxes.some(
      (box) =>
        box.first <= point && point <= box.last && holds(box.remote, remote.value) && holds(box.local, local!.value),
    );
  });
}
