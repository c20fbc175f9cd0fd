import {
  isNftHook,
  NFT_HOOKS,
  type NftChain,
  type NftElement,
  type NftField,
  type NftRule,
  type NftSet,
  NftSyntaxError,
  type NftTable,
} from "./nft-table.js";
import { NftReader, tokensOf } from "./nft-tokens.js";
import { FIELD_OF_TYPE } from "./nft-values.js";
import { readElements, readFields, readRule } from "./parse-rule-text.js";

interface DraftSet {
  readonly name: string;
  fields: NftSet["fields"];
  isDynamic: boolean;
  elements: NftElement[];
}

interface DraftChain {
  readonly name: string;
  hook: NftChain["hook"];
  policy: NftChain["policy"];
  rules: NftRule[];
}

/** The table as it stands after each command has been carried out. */
class TableDraft {
  isDormant = false;
  readonly sets = new Map<string, DraftSet>();
  readonly chains = new Map<string, DraftChain>();

  set(name: string): DraftSet {
    const found = this.sets.get(name) ?? { name, fields: undefined, isDynamic: false, elements: [] };
    this.sets.set(name, found);
    return found;
  }

  chain(name: string): DraftChain {
    const found = this.chains.get(name) ?? { name, hook: undefined, policy: "accept", rules: [] };
    this.chains.set(name, found);
    return found;
  }
}

function readTableName(reader: NftReader): void {
  const { where } = reader;
  const name = `${reader.word("a family")} ${reader.word("a table")}`;
  if (name !== "inet portolan") throw new NftSyntaxError(where, name, "our own table, inet portolan");
}

/** `ipv4_addr . inet_service`. */
function readTypes(reader: NftReader): NftField[] {
  const fields: NftField[] = [];
  do {
    const { where } = reader;
    const type = reader.word("a type");
    const field = FIELD_OF_TYPE[type];
    if (field === undefined) throw new NftSyntaxError(where, type, Object.keys(FIELD_OF_TYPE).join(", "));
    fields.push(field);
  } while (reader.take("."));
  return fields;
}

function readSetBody(reader: NftReader, set: DraftSet): void {
  reader.expect("{");
  for (;;) {
    reader.skipEnds();
    if (reader.take("}")) return;
    if (reader.take("typeof")) set.fields = readFields(reader);
    else if (reader.take("type")) set.fields = readTypes(reader);
    else if (reader.take("flags")) {
      do {
        if (reader.word("a flag") === "dynamic") set.isDynamic = true;
      } while (reader.take(","));
    } else if (reader.take("elements")) {
      reader.expect("=");
      if (set.fields === undefined) throw reader.unexpected("typeof before the elements");
      set.elements.push(...readElements(reader, set.fields));
    } else if (reader.take("size") || reader.take("timeout")) reader.word("a value");
    else if (!reader.take("counter"))
      throw reader.unexpected("type, typeof, flags, elements, size, timeout or counter");
  }
}

/** `type filter hook input priority filter + 20; policy accept;` */
function readHook(reader: NftReader, chain: DraftChain): void {
  reader.expect("filter");
  reader.expect("hook");
  const { where } = reader;
  const hook = reader.word("a hook");
  if (!isNftHook(hook)) throw new NftSyntaxError(where, hook, NFT_HOOKS.join(", "));
  chain.hook = hook;
  reader.expect("priority");
  while (!reader.isAtEnd) reader.word("a priority");
  reader.skipEnds();
  if (!reader.take("policy")) return;
  const policy = reader.word("a policy");
  if (policy !== "accept" && policy !== "drop") throw new NftSyntaxError(reader.where, policy, "accept or drop");
  chain.policy = policy;
}

function readChainBody(reader: NftReader, chain: DraftChain): void {
  reader.expect("{");
  for (;;) {
    reader.skipEnds();
    if (reader.take("}")) return;
    if (reader.take("type")) readHook(reader, chain);
    else chain.rules.push(readRule(reader));
  }
}

function skipCounter(reader: NftReader): void {
  reader.word("a name");
  reader.expect("{");
  while (!reader.take("}")) reader.next("the end of the counter");
}

function readTableBody(reader: NftReader, table: TableDraft): void {
  reader.expect("{");
  for (;;) {
    reader.skipEnds();
    if (reader.take("}")) return;
    if (reader.take("set")) readSetBody(reader, table.set(reader.word("a name")));
    else if (reader.take("chain")) readChainBody(reader, table.chain(reader.word("a name")));
    else if (reader.take("counter")) skipCounter(reader);
    else if (reader.take("comment")) reader.word("a comment");
    else if (reader.take("flags")) table.isDormant = reader.word("a flag") === "dormant";
    else throw reader.unexpected("set, chain, counter, comment or flags");
  }
}

function readAdd(reader: NftReader, table: TableDraft): void {
  const { where } = reader;
  const kind = reader.word("what to add");
  readTableName(reader);
  switch (kind) {
    case "table":
      table.isDormant = false;
      if (reader.peek()?.value === "{") readTableBody(reader, table);
      return;
    case "set":
      readSetBody(reader, table.set(reader.word("a name")));
      return;
    case "chain": {
      const chain = table.chain(reader.word("a name"));
      if (reader.peek()?.value === "{") readChainBody(reader, chain);
      return;
    }
    case "rule":
      table.chain(reader.word("a chain")).rules.push(readRule(reader));
      return;
    case "element": {
      const set = table.set(reader.word("a set"));
      if (set.fields === undefined) throw reader.unexpected("a set that was declared before its elements");
      set.elements.push(...readElements(reader, set.fields));
      return;
    }
    case "counter":
      skipCounter(reader);
      return;
    default:
      throw new NftSyntaxError(where, kind, "table, set, chain, rule, element or counter");
  }
}

function readFlush(reader: NftReader, table: TableDraft): void {
  const { where } = reader;
  const kind = reader.word("what to flush");
  if (kind !== "set" && kind !== "chain") throw new NftSyntaxError(where, `flush ${kind}`, "flush set or flush chain");
  readTableName(reader);
  const name = reader.word("a name");
  if (kind === "set") table.set(name).elements = [];
  else table.chain(name).rules = [];
}

/**
 * Reads our table from a file of nft commands or from `nft list table inet portolan`, as it stands after the last of
 * them.
 * @throws {NftSyntaxError} At the first statement that is not ours: nothing is skipped.
 */
export function parseNftText(source: string): NftTable {
  const reader = new NftReader(tokensOf(source));
  const table = new TableDraft();
  for (;;) {
    reader.skipEnds();
    if (reader.isDone) return table;
    if (reader.take("add")) readAdd(reader, table);
    else if (reader.take("flush")) readFlush(reader, table);
    else if (reader.take("table")) {
      readTableName(reader);
      readTableBody(reader, table);
    } else throw reader.unexpected("add, flush or table");
  }
}
