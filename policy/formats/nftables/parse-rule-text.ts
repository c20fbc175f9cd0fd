import {
  NFT_FIELDS,
  type NftElement,
  type NftField,
  type NftMatch,
  type NftRule,
  NftSyntaxError,
  type NftVerdict,
} from "./nft-table.js";
import type { NftReader } from "./nft-tokens.js";
import { readRange } from "./nft-values.js";

/** The field that the next two words name, if they do. */
function takeField(reader: NftReader): NftField | undefined {
  const [one, two] = [reader.peek(), reader.peek(1)];
  const name = `${one?.value} ${two?.value}`;
  const field = NFT_FIELDS.find((candidate) => candidate === name);
  if (field === undefined) return undefined;
  reader.next("a field");
  reader.next("a field");
  return field;
}

/** `ip saddr . ip daddr . meta l4proto`. */
export function readFields(reader: NftReader): NftField[] {
  const fields: NftField[] = [];
  do {
    const field = takeField(reader);
    if (field === undefined) throw reader.unexpected("a field such as ip saddr");
    fields.push(field);
  } while (reader.take("."));
  return fields;
}

/** One element: a value for each field, then what the kernel keeps beside it. */
export function readElement(reader: NftReader, fields: readonly NftField[]): NftElement {
  const parts = fields.map((field, at) => {
    if (at > 0) reader.expect(".");
    const { where } = reader;
    return readRange(field, reader.word(`a value for ${field}`), where);
  });
  let comment = "";
  while (!reader.isAtEnd && reader.peek()?.value !== ",") {
    if (reader.take("counter")) {
      if (reader.take("packets")) reader.word("a number");
      if (reader.take("bytes")) reader.word("a number");
    } else if (reader.take("comment")) comment = reader.word("a comment");
    else if (reader.take("timeout") || reader.take("expires")) reader.word("a time");
    else throw reader.unexpected("counter, comment, timeout, or the next element");
  }
  return { parts, comment };
}

/** `{ element, element }`, over as many lines as it takes. */
export function readElements(reader: NftReader, fields: readonly NftField[]): NftElement[] {
  const elements: NftElement[] = [];
  reader.expect("{");
  for (;;) {
    reader.skipEnds();
    if (reader.take("}")) return elements;
    elements.push(readElement(reader, fields));
    reader.skipEnds();
    if (!reader.take(",") && reader.peek()?.value !== "}") throw reader.unexpected('"," or "}"');
  }
}

const NOT_NEW_STATES = new Set(["established", "related", "invalid", "untracked"]);

/**
 * What the kernel remembers of a connection, and what is asked before addresses are translated, where nothing is judged:
 * the words of a question, and its answer.
 */
const MEMORIES: readonly (readonly [words: readonly string[], answers: readonly string[]])[] = [
  [
    ["ct", "label"],
    ["100", "101", "102"],
  ],
  [["ct", "direction"], ["reply"]],
  [["ct", "status"], ["dnat"]],
  [["ct", "state"], ["new"]],
  [["fib", "daddr", "type"], ["local"]],
];

function takeMemory(reader: NftReader): NftMatch | undefined {
  for (const [words, answers] of MEMORIES) {
    const answer = reader.peek(words.length)?.value ?? "";
    if (words.some((word, at) => reader.peek(at)?.value !== word) || !answers.includes(answer)) continue;
    for (const word of [...words, answer]) reader.expect(word);
    return { kind: "not-new", text: `${words.join(" ")} ${answer}` };
  }
  return undefined;
}

/** Matches on what the first packet of a connection with another host never is. */
function takeNotNew(reader: NftReader): NftMatch | undefined {
  const memory = takeMemory(reader);
  if (memory !== undefined) return memory;
  const isMeta = reader.peek()?.value === "meta";
  const key = reader.peek(isMeta ? 1 : 0)?.value;
  if (key === "iif" || key === "oif") {
    if (isMeta) reader.next("meta");
    reader.next("iif");
    if (reader.word("an interface") !== "lo") throw new NftSyntaxError(reader.where, `${key} of another name`, "lo");
    return { kind: "not-new", text: `${key} lo` };
  }
  if (reader.peek()?.value === "ct" && reader.peek(1)?.value === "state") {
    reader.next("ct");
    reader.next("state");
    const states = [reader.word("a state")];
    while (reader.take(",")) states.push(reader.word("a state"));
    const other = states.find((state) => !NOT_NEW_STATES.has(state));
    if (other !== undefined) throw reader.unexpected(`established, related, invalid or untracked instead of ${other}`);
    return { kind: "not-new", text: `ct state ${states.join(",")}` };
  }
  if (reader.peek()?.value === "tcp" && reader.peek(1)?.value === "flags") return takeTcpFlags(reader);
  return undefined;
}

/** `tcp flags & (fin | syn | rst | ack) != syn`, or as nft lists it, `tcp flags != syn / fin,syn,rst,ack`. */
function takeTcpFlags(reader: NftReader): NftMatch {
  reader.next("tcp");
  reader.next("flags");
  const mask = new Set<string>();
  let wanted: string;
  if (reader.take("&")) {
    reader.expect("(");
    do mask.add(reader.word("a flag"));
    while (reader.take("|"));
    reader.expect(")");
    reader.expect("!");
    reader.expect("=");
    wanted = reader.word("a flag");
  } else {
    reader.expect("!");
    reader.expect("=");
    wanted = reader.word("a flag");
    reader.expect("/");
    do mask.add(reader.word("a flag"));
    while (reader.take(","));
  }
  const isOurs = wanted === "syn" && [...mask].sort().join() === "ack,fin,rst,syn";
  if (!isOurs) throw reader.unexpected("the flags fin, syn, rst, ack compared with syn");
  return { kind: "not-new", text: "tcp flags != syn / fin,syn,rst,ack" };
}

function readValues(reader: NftReader, fields: readonly NftField[]): NftMatch {
  const isNegated = reader.take("!");
  if (isNegated) reader.expect("=");
  if (reader.take("@")) return { kind: "lookup", fields, set: reader.word("the name of a set"), isNegated };
  const values = reader.peek()?.value === "{" ? readElements(reader, fields) : [readValue(reader, fields)];
  return { kind: "values", fields, values, isNegated };
}

function readValue(reader: NftReader, fields: readonly NftField[]): NftElement {
  const parts = fields.map((field, at) => {
    if (at > 0) reader.expect(".");
    const { where } = reader;
    return readRange(field, reader.word(`a value for ${field}`), where);
  });
  return { parts, comment: "" };
}

/** Statements that change nothing about the packet. Answers whether there was one. */
function takeSideEffect(reader: NftReader, matches: NftMatch[]): boolean {
  if (reader.take("counter")) {
    if (reader.take("name")) reader.word("the name of a counter");
    else if (reader.take("packets")) {
      reader.word("a number");
      reader.expect("bytes");
      reader.word("a number");
    }
    return true;
  }
  if (reader.take("limit")) {
    reader.expect("rate");
    reader.word("a rate such as 20/second");
    if (reader.take("burst")) {
      reader.word("a number");
      reader.expect("packets");
    }
    matches.push({ kind: "sometimes", text: "limit rate" });
    return true;
  }
  if (reader.take("log")) {
    for (;;) {
      if (reader.take("prefix")) reader.word("a prefix");
      else if (reader.take("group") || reader.take("snaplen")) reader.word("a number");
      else return true;
    }
  }
  if (reader.take("add") || reader.take("update")) {
    reader.expect("@");
    reader.word("the name of a set");
    reader.expect("{");
    readFields(reader);
    reader.expect("}");
    // A full set ends the rule here.
    matches.push({ kind: "sometimes", text: "add to a dynamic set" });
    return true;
  }
  if (reader.peek()?.value === "ct" && reader.peek(1)?.value === "label") {
    for (const word of ["ct", "label", "set"]) reader.expect(word);
    reader.word("a label");
    return true;
  }
  return false;
}

function takeVerdict(reader: NftReader): NftVerdict | undefined {
  if (reader.take("reject")) {
    for (const word of ["with", "tcp", "reset"]) reader.expect(word);
    return { kind: "drop" };
  }
  for (const kind of ["accept", "drop", "return"] as const) if (reader.take(kind)) return { kind };
  for (const kind of ["jump", "goto"] as const) {
    if (reader.take(kind)) return { kind, chain: reader.word("the name of a chain") };
  }
  return undefined;
}

/** One rule, up to the end of its statement. @throws {NftSyntaxError} If any part of it is unknown to us. */
export function readRule(reader: NftReader): NftRule {
  const { where } = reader;
  const matches: NftMatch[] = [];
  let verdict: NftVerdict | undefined;
  let comment = "";
  while (!reader.isAtEnd) {
    if (reader.take("comment")) {
      comment = reader.word("a comment");
      continue;
    }
    if (verdict !== undefined) throw reader.unexpected("the end of the rule after its verdict");
    const notNew = takeNotNew(reader);
    if (notNew !== undefined) {
      matches.push(notNew);
      continue;
    }
    if (takeSideEffect(reader, matches)) continue;
    verdict = takeVerdict(reader);
    if (verdict !== undefined) continue;
    matches.push(readValues(reader, readFields(reader)));
  }
  return { where, matches, verdict, comment };
}
