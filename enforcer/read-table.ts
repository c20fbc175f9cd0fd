import { TABLE } from "../policy/formats/nftables/nft-text.js";
import { EnforcerError } from "./enforcer-error.js";
import { type KernelListing, readListing } from "./kernel-listing.js";
import type { Nft } from "./nft.js";

type Listed = Readonly<Record<string, { readonly [key: string]: unknown }>>;

/**
 * nft 1.0.6 writes memory that it has given back where a table has one flag, so that its JSON says anything, or breaks off.
 * Only listings of tables have it: then chains, sets and counters are asked for one by one.
 */
async function listWhole(nft: Nft, command: string): Promise<readonly Listed[] | undefined> {
  try {
    const [objects = []] = (await nft.list(command)) as readonly Listed[][];
    return objects.some((object) => object.table !== undefined && "flags" in object.table) ? undefined : objects;
  } catch (error) {
    if (error instanceof EnforcerError && error.code === "unreadable-listing") return undefined;
    throw error;
  }
}

interface ListedChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
}

async function listChains(nft: Nft, isWanted: (chain: ListedChain) => boolean): Promise<Listed[]> {
  const [objects = []] = (await nft.list("list chains")) as readonly Listed[][];
  const chains = objects.flatMap(({ chain }) => (chain === undefined ? [] : [chain as unknown as ListedChain]));
  const listed: Listed[] = [];
  for (const { family, table, name } of chains.filter(isWanted)) {
    // One process for each: nft answers a second such command with what it read for the first.
    const [rules = []] = (await nft.list(`list chain ${family} ${table} ${name}`)) as readonly Listed[][];
    listed.push(...rules);
  }
  return listed;
}

/** Our table as the kernel holds it now; undefined when there is none. */
export async function readTable(nft: Nft): Promise<KernelListing | undefined> {
  const whole = await listWhole(nft, `list table ${TABLE}`);
  if (whole !== undefined) return readListing(whole);
  const [head, tables] = [await nft.text(`list table ${TABLE}`, "-t"), await nft.text("list tables", "-a")];
  const flags = /^\tflags (.+)$/m.exec(head)?.[1]?.split(",") ?? [];
  const handle = Number(/^table inet portolan # handle (\d+)$/m.exec(tables)?.[1] ?? 0);
  const table = { family: "inet", name: "portolan", handle, flags };
  const chains = await listChains(nft, (chain) => chain.family === "inet" && chain.table === "portolan");
  const others = await nft.list(`list sets table ${TABLE}`, `list counters table ${TABLE}`);
  return readListing([{ table }, ...chains, ...others.flat()]);
}

/** At least the base chains of this network namespace with their rules, and its flow tables. */
export async function readRuleset(nft: Nft): Promise<readonly unknown[]> {
  const whole = await listWhole(nft, "list ruleset");
  if (whole !== undefined) return whole;
  const chains = await listChains(nft, ({ hook }) => hook !== undefined);
  const [flowtables = []] = await nft.list("list flowtables");
  return [...chains, ...flowtables];
}
