import { z } from "zod";
import { formatProtocol } from "../../model/protocol.js";
import { parseVerdictReport } from "../../model/verdict-report.js";
import { AUDIT_MANIFEST_VERSION, type AuditManifest, MANIFEST, sealOf, sha256 } from "./audit-bundle.js";
import { type AuditEntry, brokenEntry } from "./audit-trail.js";

const link = z.string().regex(/^[0-9a-f]{64}$/);
const whole = z.number().int().nonnegative();

const manifestSchema = z.strictObject({
  version: z.literal(AUDIT_MANIFEST_VERSION),
  software: z.string(),
  fromUs: z.number(),
  untilUs: z.number(),
  chain: z.strictObject({
    before: link,
    head: link,
    first: z.union([whole, z.undefined()]).optional(),
    last: z.union([whole, z.undefined()]).optional(),
  }),
  files: z.array(z.strictObject({ path: z.string(), bytes: whole, sha256: link })),
  seal: z.string(),
});

const entrySchema = z.strictObject({
  number: whole,
  kind: z.enum(["verdicts", "policy"]),
  id: z.string(),
  receivedUs: z.number(),
  text: z.string(),
  link,
});

const reportSchema = z.looseObject({
  scopes: z.array(
    z.looseObject({
      edges: z.array(
        z.looseObject({
          scope: z.string(),
          direction: z.string(),
          client: z.looseObject({ address: z.string() }),
          server: z.looseObject({ address: z.string() }),
          protocol: z.string(),
          port: whole,
          audited: whole,
          denied: whole,
        }),
      ),
    }),
  ),
});

/** Entries of a file with one of them a line. @throws {SyntaxError} With the line's number. */
function readEntries(path: string, bytes: Uint8Array): AuditEntry[] {
  const rows = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
  return rows.map((row, index) => {
    try {
      return entrySchema.parse(JSON.parse(row));
    } catch (cause) {
      throw new SyntaxError(`${path}:${index + 1}: Cannot read entry of the audit trail`, { cause });
    }
  });
}

type Counts = Map<string, { audited: number; denied: number }>;

function add(counts: Counts, key: readonly unknown[], verdict: "audited" | "denied", attempts: number): void {
  const text = JSON.stringify(key);
  const count = counts.get(text) ?? { audited: 0, denied: 0 };
  count[verdict] += attempts;
  counts.set(text, count);
}

/** Counts the attempts anew from what the enforcers said. */
function recount(entries: readonly AuditEntry[]): Counts {
  const counts: Counts = new Map();
  for (const { kind, text } of entries) {
    if (kind !== "verdicts") continue;
    const { scope, edges } = parseVerdictReport(Buffer.from(text));
    for (const { direction, client, server, protocol, port, verdict, attempts } of edges) {
      add(counts, [scope, direction, client, server, formatProtocol(protocol), port], verdict, attempts);
    }
  }
  return counts;
}

function reported(bytes: Uint8Array): Counts {
  const counts: Counts = new Map();
  for (const { edges } of reportSchema.parse(JSON.parse(new TextDecoder().decode(bytes))).scopes) {
    for (const { scope, direction, client, server, protocol, port, audited, denied } of edges) {
      const key = [scope, direction, client.address, server.address, protocol, port];
      add(counts, key, "audited", audited);
      add(counts, key, "denied", denied);
    }
  }
  return counts;
}

function differences(told: Counts, counted: Counts): string[] {
  const problems: string[] = [];
  for (const key of [...new Set([...told.keys(), ...counted.keys()])].sort()) {
    const [a, b] = [told.get(key), counted.get(key)];
    if (a?.audited === b?.audited && a?.denied === b?.denied) continue;
    const say = (count: typeof a) =>
      count === undefined ? "nothing" : `${count.audited} audited, ${count.denied} denied`;
    problems.push(`report.json says ${say(a)} of ${key}, its entries say ${say(b)}`);
  }
  return problems;
}

/**
 * Everything that is wrong with the files of a report, a line each; none where they are as they were made. `head` is the
 * last link as it was noted elsewhere: without it, somebody who made all files anew goes undetected.
 */
export function verifyAuditBundle(files: ReadonlyMap<string, Uint8Array>, head?: string): string[] {
  const manifestBytes = files.get(MANIFEST);
  if (manifestBytes === undefined) return [`${MANIFEST} is missing`];
  let manifest: AuditManifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(new TextDecoder().decode(manifestBytes))) as AuditManifest;
  } catch {
    return [`${MANIFEST} cannot be read: wanted the manifest of a report, version ${AUDIT_MANIFEST_VERSION}`];
  }
  const problems: string[] = [];
  if (`${JSON.stringify(manifest, undefined, 2)}\n` !== new TextDecoder().decode(manifestBytes)) {
    problems.push(`${MANIFEST} was changed: it is not as Portolan writes it`);
  } else if (sealOf(manifest) !== manifest.seal) problems.push(`${MANIFEST} was changed: its seal does not fit`);
  const listed = new Set([MANIFEST, ...manifest.files.map(({ path }) => path)]);
  for (const path of files.keys()) if (!listed.has(path)) problems.push(`${path} is no part of the report`);
  for (const { path, sha256: wanted, bytes } of manifest.files) {
    const found = files.get(path);
    if (found === undefined) problems.push(`${path} is missing`);
    else if (found.length !== bytes || sha256(found) !== wanted)
      problems.push(`${path} was changed: its hash does not fit`);
  }
  if (problems.length > 0) return problems;
  try {
    const entries = readEntries("entries.jsonl", files.get("entries.jsonl") ?? new Uint8Array(0));
    const { chain } = manifest;
    const broken = brokenEntry(chain.before, entries);
    const last = entries.at(-1)?.link ?? chain.before;
    if (broken !== undefined) problems.push(`entry ${broken.number} does not follow from the one before it`);
    else if (last !== chain.head) problems.push("the entries do not end in the link that the manifest names");
    if (head !== undefined && head !== chain.head) {
      problems.push(`the last link is ${chain.head}, noted was ${head}`);
    }
    problems.push(...differences(reported(files.get("report.json") ?? new Uint8Array(0)), recount(entries)));
  } catch (error) {
    problems.push((error as Error).message.split("\n")[0] ?? "");
  }
  return problems;
}
