import { readFileSync } from "node:fs";
import { endOf } from "../captures/tuple-flows.js";

/** A name that another program read in the payloads of one five-tuple. */
export interface NamedTuple {
  readonly key: string; // both ends, in order
  readonly name: string;
}

/** Both ends as one text, whoever opened the flow. Zeek's logs do not tell TLS from QUIC, so the protocol is left out. */
export function endsKey(a: string, b: string): string {
  return a <= b ? `${a} - ${b}` : `${b} - ${a}`;
}

/** Lower case, without port, brackets and final dot, as programs differ in these. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\[(.*)\](:\d+)?$/, "$1")
    .replace(/^([^:]*):\d+$/, "$1")
    .replace(/\.$/, "");
}

const ZEEK_FIELDS = { "ssl.log": "server_name", "quic.log": "server_name", "http.log": "host" } as const;
export type ZeekLog = keyof typeof ZEEK_FIELDS;

/** Zeek's ssl.log, quic.log and http.log, tab-separated. */
export function readZeekNames(path: string, log: ZeekLog): NamedTuple[] {
  let fields: string[] = [];
  const named: NamedTuple[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line.startsWith("#fields")) fields = line.split("\t").slice(1);
    if (line === "" || line.startsWith("#")) continue;
    const values = line.split("\t");
    const value = (field: string) => values[fields.indexOf(field)] ?? "-";
    const name = value(ZEEK_FIELDS[log]);
    if (name === "-" || name === "(empty)") continue;
    const [a, b] = [
      endOf(value("id.orig_h"), Number(value("id.orig_p"))),
      endOf(value("id.resp_h"), Number(value("id.resp_p"))),
    ];
    named.push({ key: endsKey(a, b), name: plainName(name) });
  }
  return named;
}

const NDPI_NAMED =
  /^\t\d+\t(?:TCP|UDP) (\[[^\]]+\]|[^:\s]+):(\d+) (?:<->|->) (\[[^\]]+\]|[^:\s]+):(\d+) .*?\[proto: [^/\]]*\/([^\]]*)\].*?\[Hostname\/SNI: ([^\]]*)\]/;
/** Of other protocols nDPI gives names that are not the responder's: the one asked for, the sender's own. */
const NDPI_PROTOCOL = /^(TLS|QUIC|HTTP|DTLS)(\.|$)/;

/** Names of TLS, DTLS, QUIC and HTTP flows in the output of nDPI's reader. */
export function readNdpiNames(path: string): NamedTuple[] {
  return readFileSync(path, "latin1")
    .split("\n")
    .flatMap((line) => {
      const match = NDPI_NAMED.exec(line);
      if (match === null || !NDPI_PROTOCOL.test(match[5] as string)) return [];
      const bare = (text: string | undefined) => (text ?? "").replace(/[[\]]/g, "");
      const a = endOf(bare(match[1]), Number(match[2]));
      const b = endOf(bare(match[3]), Number(match[4]));
      return [{ key: endsKey(a, b), name: plainName(match[6] as string) }];
    });
}
