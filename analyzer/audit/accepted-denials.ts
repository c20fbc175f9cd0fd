import { isCollection, isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { tryParseAddress } from "../../model/address.js";
import { type Cidr, cidrContains, parseCidr } from "../../model/cidr.js";
import { parseProtocol } from "../../model/protocol.js";

const text = (most: number) => z.string().min(1).max(most);
const service = z
  .string()
  .regex(/^[a-z0-9]+(\/(\d{1,5}|\*))?$/i, { error: "wanted a service such as tcp/443 or icmp" });

const fileSchema = z.strictObject({
  version: z.literal(1, { error: "wanted version 1" }),
  accepted: z.array(
    z.strictObject({
      scope: z.exactOptional(text(63)), // absent: any
      client: text(512),
      server: text(512),
      service,
      by: text(200),
      note: text(1000),
      until: z.exactOptional(z.iso.datetime({ offset: true, error: "wanted a time such as 2027-01-31T08:00:00Z" })),
    }),
  ),
});

/** Traffic of which a person said that it may be denied: it stays in reports, and no longer holds anything up. */
export interface AcceptedDenial {
  readonly scope: string | undefined;
  readonly client: string; // workload id, group name, address, CIDR, or "*"
  readonly server: string;
  readonly protocol: number;
  readonly port: number | undefined; // absent: every port
  readonly by: string;
  readonly note: string;
  readonly untilUs: number; // exclusive; infinite without an end
}

/** One end of an edge: its address, and what the inventory calls it. */
export interface NamedEnd {
  readonly address: string;
  readonly name: string;
}

function refuse(where: string, what: string): never {
  throw new SyntaxError(`${where}: Cannot read accepted denials: ${what}`);
}

/**
 * Reads the file of accepted denials, see docs/report.md.
 * @throws {SyntaxError} In one line with file, line and column, on anything else.
 */
export function parseAcceptedDenials(source: string, fileName: string): AcceptedDenial[] {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${fileName}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const [fault] = document.errors;
  if (fault !== undefined) refuse(place(fault.pos[0]), fault.message.split("\n")[0] ?? "it is no YAML");
  const offsetOf = (path: readonly PropertyKey[]): number => {
    let node: unknown = document.contents;
    for (const part of path) {
      const next: unknown = isCollection(node) ? node.get(part, true) : undefined;
      if (!isNode(next)) break;
      node = next;
    }
    return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
  };
  const parsed = fileSchema.safeParse(document.toJS());
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] as z.core.$ZodIssue;
    refuse(place(offsetOf(path)), `field "${path.join(".")}": ${message}`);
  }
  return parsed.data.accepted.map((entry, index) => {
    const [protocol = "", port] = entry.service.split("/");
    try {
      const number = port === undefined || port === "*" ? undefined : Number(port);
      if (number !== undefined && number > 65535) throw new SyntaxError(`port ${number}: wanted at most 65535`);
      return {
        scope: entry.scope,
        client: entry.client,
        server: entry.server,
        protocol: parseProtocol(protocol),
        port: number,
        by: entry.by,
        note: entry.note,
        untilUs: entry.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(entry.until) * 1000,
      };
    } catch (error) {
      return refuse(place(offsetOf(["accepted", index, "service"])), (error as Error).message);
    }
  });
}

function cidrFrom(wanted: string): Cidr | undefined {
  try {
    return parseCidr(wanted);
  } catch {
    return undefined;
  }
}

function isMeant(wanted: string, { address, name }: NamedEnd): boolean {
  if (wanted === "*" || wanted === name || wanted === address) return true;
  const cidr = wanted.includes("/") ? cidrFrom(wanted) : undefined;
  const parsed = tryParseAddress(address);
  return cidr !== undefined && parsed !== undefined && cidrContains(cidr, parsed);
}

/** Who accepted that this traffic is denied, at the time it was last seen. */
export function acceptanceOf(
  accepted: readonly AcceptedDenial[],
  edge: { readonly scope: string; readonly protocol: number; readonly port: number; readonly lastUs: number },
  client: NamedEnd,
  server: NamedEnd,
): AcceptedDenial | undefined {
  return accepted.find(
    (denial) =>
      (denial.scope === undefined || denial.scope === edge.scope) &&
      denial.protocol === edge.protocol &&
      (denial.port === undefined || denial.port === edge.port) &&
      edge.lastUs < denial.untilUs &&
      isMeant(denial.client, client) &&
      isMeant(denial.server, server),
  );
}
