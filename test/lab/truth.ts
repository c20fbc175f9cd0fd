import { edgeKey, type IntendedEdge } from "./intent.js";

/** `allow`: intended, and it really occurred. `never`: no proposal may permit it. */
export interface TruthRow extends IntendedEdge {
  readonly expect: "allow" | "never";
}

const HEADER = "expect\tclient\tserver\tprotocol\tport\tnote";

/** Tab-separated lines under a header, `allow` before `never`, each sorted; doubles are written once. */
export function formatTruth(rows: readonly TruthRow[]): string {
  const lines = new Map(rows.map((row) => [`${row.expect}\t${edgeKey(row)}`, row.note]));
  const body = [...lines].map(([key, note]) => `${key}\t${note}`).sort();
  return `${[HEADER, ...body].join("\n")}\n`;
}

/** @throws {SyntaxError} If a line is not what `formatTruth` writes. */
export function parseTruth(text: string): readonly TruthRow[] {
  const [header, ...lines] = text.trimEnd().split("\n");
  if (header !== HEADER) throw new SyntaxError(`Cannot parse truth "${header}": wanted the header "${HEADER}"`);
  return lines.map((line) => {
    const [expect, client, server, protocol, port, note] = line.split("\t");
    if (
      (expect !== "allow" && expect !== "never") ||
      client === undefined ||
      server === undefined ||
      (protocol !== "tcp" && protocol !== "udp" && protocol !== "icmp" && protocol !== "icmpv6") ||
      !/^\d+$/.test(port ?? "")
    ) {
      throw new SyntaxError(`Cannot parse truth "${line}": wanted expect, client, server, protocol, port, note`);
    }
    return { expect, client, server, protocol, port: Number(port), note: note ?? "" };
  });
}
