import type { AddressRange } from "../../../model/cidr.js";

/** What one rule permits in one family: any of `remotes` to or from any of `locals`, at services `first`..`last`. */
export interface Permit {
  readonly rule: string; // id
  readonly remotes: readonly AddressRange[]; // merged
  readonly locals: readonly AddressRange[]; // merged
  readonly first: number;
  readonly last: number; // included
}

/** A part of the space that the same rules permit. */
export interface PermitBox {
  readonly remote: AddressRange;
  readonly local: AddressRange;
  readonly first: number;
  readonly last: number;
  readonly rules: readonly string[]; // sorted
}

type Bound = bigint | number;

/** The stretches of an axis on which the same items hold, in order; stretches that nothing covers are left out. */
function stretches<B extends Bound, T>(
  items: readonly { readonly first: B; readonly last: B; readonly item: T }[],
  after: (bound: B) => B,
  before: (bound: B) => B,
): { first: B; last: B; items: T[] }[] {
  const [only] = items;
  if (only !== undefined && items.length === 1) return [{ first: only.first, last: only.last, items: [only.item] }];
  const starts = new Map<B, T[]>();
  const ends = new Map<B, T[]>();
  const push = (map: Map<B, T[]>, at: B, item: T) => {
    const list = map.get(at);
    if (list === undefined) map.set(at, [item]);
    else list.push(item);
  };
  for (const { first, last, item } of items) {
    push(starts, first, item);
    push(ends, after(last), item);
  }
  const cuts = [...new Set([...starts.keys(), ...ends.keys()])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  // One item may cover a point through several ranges, so it counts how often it holds.
  const active = new Map<T, number>();
  const found: { first: B; last: B; items: T[] }[] = [];
  cuts.forEach((cut, at) => {
    for (const item of ends.get(cut) ?? []) {
      const count = (active.get(item) ?? 0) - 1;
      if (count <= 0) active.delete(item);
      else active.set(item, count);
    }
    for (const item of starts.get(cut) ?? []) active.set(item, (active.get(item) ?? 0) + 1);
    const next = cuts[at + 1];
    if (active.size > 0 && next !== undefined)
      found.push({ first: cut, last: before(next), items: [...active.keys()] });
  });
  return found;
}

const addressStretches = <T>(items: readonly { first: bigint; last: bigint; item: T }[]) =>
  stretches<bigint, T>(
    items,
    (bound) => bound + 1n,
    (bound) => bound - 1n,
  );

interface Stretch<B extends Bound> {
  readonly first: B;
  readonly last: B;
}

/** Joins neighbours that say the same. Compared part by part, because a text of each costs more than all the rest. */
function joined<S extends Stretch<Bound>>(
  parts: readonly S[],
  isNext: (a: S, b: S) => boolean,
  isSame: (a: S, b: S) => boolean,
): S[] {
  const result: S[] = [];
  for (const part of parts) {
    const previous = result.at(-1);
    if (previous !== undefined && isNext(previous, part) && isSame(previous, part)) {
      result[result.length - 1] = { ...previous, last: part.last };
    } else {
      result.push(part);
    }
  }
  return result;
}

function alike<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((each, at) => isSame(each, b[at] as T));
}

interface RemoteStretch extends Stretch<bigint> {
  readonly rules: readonly string[];
}

interface LocalStretch extends Stretch<bigint> {
  readonly remotes: readonly RemoteStretch[];
}

const touches = (a: Stretch<bigint>, b: Stretch<bigint>) => b.first === a.last + 1n;
const isSameStretch = (a: Stretch<bigint>, b: Stretch<bigint>) => a.first === b.first && a.last === b.last;
const hasSameRules = (a: RemoteStretch, b: RemoteStretch) => alike(a.rules, b.rules, (one, other) => one === other);
const hasSameRemotes = (a: LocalStretch, b: LocalStretch) =>
  alike(a.remotes, b.remotes, (one, other) => isSameStretch(one, other) && hasSameRules(one, other));
const hasSameLocals = (a: readonly LocalStretch[], b: readonly LocalStretch[]) =>
  alike(a, b, (one, other) => isSameStretch(one, other) && hasSameRemotes(one, other));

/**
 * Cuts permits, which may overlap in any way, into disjoint boxes, because the kernel refuses interval elements that
 * overlap. Boxes that the same rules permit are joined along every axis.
 */
export function permitBoxes(family: 4 | 6, permits: readonly Permit[]): PermitBox[] {
  const byService = stretches<number, Permit>(
    permits.map((item) => ({ first: item.first, last: item.last, item })),
    (bound) => bound + 1,
    (bound) => bound - 1,
  );
  const cut = byService.map(({ first, last, items }) => {
    const [only] = items;
    if (only !== undefined && items.length === 1) {
      // What merged ranges are, nothing cuts further: most services of a large policy.
      const remotes = only.remotes.map((range) => ({ first: range.first, last: range.last, rules: [only.rule] }));
      return { first, last, locals: only.locals.map((range) => ({ first: range.first, last: range.last, remotes })) };
    }
    const locals = addressStretches(
      items.flatMap((item) => item.locals.map((range) => ({ first: range.first, last: range.last, item }))),
    ).map((local): LocalStretch => {
      const remotes = addressStretches(
        local.items.flatMap((item) =>
          item.remotes.map((range) => ({ first: range.first, last: range.last, item: item.rule })),
        ),
      ).map((part): RemoteStretch => ({ first: part.first, last: part.last, rules: [...part.items].sort() }));
      return { first: local.first, last: local.last, remotes: joined(remotes, touches, hasSameRules) };
    });
    return { first, last, locals: joined(locals, touches, hasSameRemotes) };
  });
  const services = joined(
    cut,
    (a, b) => b.first === a.last + 1,
    (a, b) => hasSameLocals(a.locals, b.locals),
  );
  return services.flatMap(({ first, last, locals }) =>
    locals.flatMap((local) =>
      local.remotes.map(
        (remote): PermitBox => ({
          remote: { family, first: remote.first, last: remote.last },
          local: { family, first: local.first, last: local.last },
          first,
          last,
          rules: remote.rules,
        }),
      ),
    ),
  );
}
