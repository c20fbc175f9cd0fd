import {
  isNftHook,
  NFT_FIELDS,
  NFT_HOOKS,
  type NftChain,
  type NftElement,
  type NftField,
  type NftMatch,
  type NftRange,
  type NftRule,
  type NftSet,
  NftSyntaxError,
  type NftTable,
  type NftVerdict,
} from "./nft-table.js";
import { FIELD_OF_TYPE, readNumber, readRange } from "./nft-values.js";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asObject(value: Json | undefined, where: string, wanted: string): JsonObject {
  if (!isObject(value)) throw new NftSyntaxError(where, JSON.stringify(value) ?? "nothing", wanted);
  return value;
}

function asText(value: Json | undefined, where: string, wanted: string): string {
  if (typeof value !== "string") throw new NftSyntaxError(where, JSON.stringify(value) ?? "nothing", wanted);
  return value;
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value as Json];
}

/** The only key of an object, as nft spells a tagged value. */
function tagOf(value: JsonObject, where: string): readonly [string, Json] {
  const entries = Object.entries(value);
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1)
    throw new NftSyntaxError(where, JSON.stringify(value), "one tagged value");
  return entry;
}

function scalarText(value: Json, where: string): string {
  if (typeof value === "number" || typeof value === "string") return String(value);
  throw new NftSyntaxError(where, JSON.stringify(value), "a number or a text");
}

function readPart(field: NftField, value: Json, where: string): NftRange {
  if (!isObject(value)) {
    const number = readNumber(field, scalarText(value, where), where);
    return { first: number, last: number };
  }
  const [tag, body] = tagOf(value, where);
  if (tag === "range") {
    const [first, last] = listOf(body).map((bound) => readNumber(field, scalarText(bound, where), where));
    if (first === undefined || last === undefined || first > last) {
      throw new NftSyntaxError(where, JSON.stringify(value), "a range that ascends");
    }
    return { first, last };
  }
  if (tag === "prefix") {
    const prefix = asObject(body, where, "a prefix");
    return readRange(
      field,
      `${asText(prefix.addr, where, "an address")}/${scalarText(prefix.len ?? null, where)}`,
      where,
    );
  }
  throw new NftSyntaxError(where, JSON.stringify(value), "a value, a range or a prefix");
}

function readElement(fields: readonly NftField[], value: Json, where: string): NftElement {
  if (isObject(value) && "elem" in value) {
    const elem = asObject(value.elem, where, "an element");
    const inner = readElement(fields, elem.val ?? null, where);
    return { parts: inner.parts, comment: typeof elem.comment === "string" ? elem.comment : "" };
  }
  const parts = isObject(value) && "concat" in value ? listOf(value.concat) : [value];
  if (parts.length !== fields.length) {
    throw new NftSyntaxError(
      where,
      JSON.stringify(value),
      `${fields.length} values, one for each of ${fields.join(", ")}`,
    );
  }
  return { parts: fields.map((field, at) => readPart(field, parts[at] as Json, where)), comment: "" };
}

function readSet(body: JsonObject): NftSet {
  const name = asText(body.name, "set", "a name");
  const where = `set ${name}`;
  const types = listOf(body.type).map((type) => asText(type, where, "a type"));
  const isDynamic = "timeout" in body || listOf(body.flags).includes("dynamic");
  if (isDynamic) return { name, fields: undefined, isDynamic, elements: [] };
  const fields = types.map((type) => {
    const field = FIELD_OF_TYPE[type];
    if (field === undefined) throw new NftSyntaxError(where, type, Object.keys(FIELD_OF_TYPE).join(", "));
    return field;
  });
  return { name, fields, isDynamic, elements: listOf(body.elem).map((value) => readElement(fields, value, where)) };
}

function fieldOf(value: Json, where: string): string {
  const [tag, body] = tagOf(asObject(value, where, "a field"), where);
  const parts = asObject(body, where, "a field");
  if (tag === "payload")
    return `${asText(parts.protocol, where, "a protocol")} ${asText(parts.field, where, "a field")}`;
  if (tag === "meta" || tag === "ct") return `${tag} ${asText(parts.key, where, "a key")}`;
  if (tag === "fib") return `fib ${listOf(parts.flags).join(" . ")} ${asText(parts.result, where, "a result")}`;
  throw new NftSyntaxError(where, JSON.stringify(value), "payload, meta or ct");
}

function knownField(value: Json, where: string): NftField {
  const name = fieldOf(value, where);
  const field = NFT_FIELDS.find((candidate) => candidate === name);
  if (field === undefined) throw new NftSyntaxError(where, name, NFT_FIELDS.join(", "));
  return field;
}

const CT_STATES: Readonly<Record<string, string>> = {
  "1": "invalid",
  "2": "established",
  "4": "related",
  "64": "untracked",
};

/**
 * Questions about what the kernel remembers of a connection; the first packet of a new one that nobody translates has
 * nothing to remember. In the hook before translation, to which `fib` belongs, nothing is judged.
 */
const MEMORIES: Readonly<Record<string, readonly string[]>> = {
  "ct label": ["100", "101", "102"],
  "ct direction": ["1", "reply"],
  "ct status": ["32", "dnat"],
  "ct state": ["8", "new"],
  "fib daddr type": ["2", "local"],
};

function readMemory(name: string, right: Json, where: string): NftMatch | undefined {
  const known = MEMORIES[name];
  if (known === undefined || Array.isArray(right)) return undefined;
  const value = scalarText(right, where);
  if (known.includes(value)) return { kind: "not-new", text: `${name} ${value}` };
  if (name === "ct state") return undefined;
  throw new NftSyntaxError(where, `${name} ${value}`, known.join(", "));
}

function readCtState(right: Json, where: string): NftMatch {
  const states = listOf(right).map((state) => {
    const text = scalarText(state, where);
    return CT_STATES[text] ?? text;
  });
  const other = states.find((state) => !Object.values(CT_STATES).includes(state));
  if (other !== undefined) throw new NftSyntaxError(where, other, Object.values(CT_STATES).join(", "));
  return { kind: "not-new", text: `ct state ${states.join(",")}` };
}

const TCP_FLAGS: Readonly<Record<string, string>> = { "1": "fin", "2": "syn", "4": "rst", "16": "ack" };

function readTcpFlags(left: JsonObject, right: Json, op: string, where: string): NftMatch {
  const [field, mask] = listOf(left["&"]);
  const flags = listOf(isObject(mask) && "|" in mask ? mask["|"] : mask).map((flag) => {
    const text = scalarText(flag, where);
    return TCP_FLAGS[text] ?? text;
  });
  const wanted = scalarText(right, where);
  const isOurs =
    field !== undefined &&
    fieldOf(field, where) === "tcp flags" &&
    op === "!=" &&
    (TCP_FLAGS[wanted] ?? wanted) === "syn" &&
    [...flags].sort().join() === "ack,fin,rst,syn";
  if (!isOurs) throw new NftSyntaxError(where, JSON.stringify(left), "the flags fin, syn, rst, ack compared with syn");
  return { kind: "not-new", text: "tcp flags != syn / fin,syn,rst,ack" };
}

function readMatch(body: JsonObject, where: string): NftMatch {
  const op = asText(body.op, where, "an operator");
  const right = body.right ?? null;
  const left = asObject(body.left, where, "a left side");
  if ("&" in left) return readTcpFlags(left, right, op, where);
  const parts = "concat" in left ? listOf(left.concat) : [left];
  const names = parts.map((part) => fieldOf(part, where));
  if (names.length === 1 && (names[0] === "meta iif" || names[0] === "meta oif") && right === "lo" && op === "==") {
    return { kind: "not-new", text: `${names[0]} lo` };
  }
  const memory = names.length === 1 && (op === "in" || op === "==") ? readMemory(names[0]!, right, where) : undefined;
  if (memory !== undefined) return memory;
  if (names.length === 1 && names[0] === "ct state" && op === "in") return readCtState(right, where);
  const fields = parts.map((part) => knownField(part, where));
  if (op !== "==" && op !== "!=") throw new NftSyntaxError(where, op, "== or !=");
  const isNegated = op === "!=";
  if (typeof right === "string" && right.startsWith("@"))
    return { kind: "lookup", fields, set: right.slice(1), isNegated };
  const values = isObject(right) && "set" in right ? listOf(right.set) : [right];
  return { kind: "values", fields, values: values.map((value) => readElement(fields, value, where)), isNegated };
}

/** Statements that change nothing about the packet. */
const SIDE_EFFECTS = new Set(["counter", "log"]);

function isLabel(body: Json): boolean {
  return isObject(body) && isObject(body.key) && isObject(body.key.ct) && body.key.ct.key === "label";
}

function readRule(body: JsonObject): NftRule {
  const where = `rule with handle ${scalarText(body.handle ?? "?", "rule")} of chain ${asText(body.chain, "rule", "a chain")}`;
  const matches: NftMatch[] = [];
  let verdict: NftVerdict | undefined;
  for (const statement of listOf(body.expr)) {
    const [tag, content] = tagOf(asObject(statement, where, "a statement"), where);
    if (verdict !== undefined) throw new NftSyntaxError(where, tag, "the end of the rule after its verdict");
    if (SIDE_EFFECTS.has(tag) || (tag === "mangle" && isLabel(content))) continue;
    switch (tag) {
      case "match":
        matches.push(readMatch(asObject(content, where, "a match"), where));
        break;
      case "limit":
      case "set":
        matches.push({ kind: "sometimes", text: tag });
        break;
      case "reject":
        verdict = { kind: "drop" };
        break;
      case "accept":
      case "drop":
      case "return":
        verdict = { kind: tag };
        break;
      case "jump":
      case "goto":
        verdict = { kind: tag, chain: asText(asObject(content, where, "a target").target, where, "a target") };
        break;
      default:
        throw new NftSyntaxError(where, tag, "a statement of ours");
    }
  }
  return { where, matches, verdict, comment: typeof body.comment === "string" ? body.comment : "" };
}

function readChain(body: JsonObject): Omit<NftChain, "rules"> {
  const name = asText(body.name, "chain", "a name");
  const { hook, policy } = body;
  if (hook !== undefined && !isNftHook(hook)) {
    throw new NftSyntaxError(`chain ${name}`, JSON.stringify(hook), NFT_HOOKS.join(", "));
  }
  return { name, hook, policy: policy === "drop" ? "drop" : "accept" };
}

/**
 * Reads our table from what `nft -n -j list ruleset` or `nft -n -j list table inet portolan` prints. Other tables are
 * not ours to judge and are left aside.
 * @throws {NftSyntaxError} At the first statement of our table that we would not have written.
 * @throws {SyntaxError} If the text is not JSON.
 */
export function parseNftJson(source: string): NftTable {
  const root = asObject(JSON.parse(source) as Json, "JSON", "an object");
  const sets = new Map<string, NftSet>();
  const chains = new Map<string, NftChain & { rules: NftRule[] }>();
  let isDormant = false;
  for (const item of listOf(root.nftables)) {
    const [tag, content] = tagOf(asObject(item, "JSON", "an object"), "JSON");
    const body = asObject(content, tag, "an object");
    const table = tag === "table" ? body.name : body.table;
    if (tag === "metainfo" || body.family !== "inet" || table !== "portolan") continue;
    switch (tag) {
      case "table":
        isDormant = listOf(body.flags).includes("dormant");
        break;
      case "set": {
        const set = readSet(body);
        sets.set(set.name, set);
        break;
      }
      case "chain": {
        const chain = readChain(body);
        chains.set(chain.name, { ...chain, rules: [] });
        break;
      }
      case "rule": {
        const chain = chains.get(asText(body.chain, "rule", "a chain"));
        if (chain === undefined)
          throw new NftSyntaxError("rule", JSON.stringify(body.chain), "a chain listed before its rules");
        chain.rules.push(readRule(body));
        break;
      }
      case "counter":
        break;
      default:
        throw new NftSyntaxError("JSON", tag, "table, set, chain, rule or counter");
    }
  }
  return { isDormant, sets, chains };
}
