import { readFileSync } from "node:fs";
import { tryParseAddress } from "../../../model/address.js";
import { endOf, type TupleFlow } from "./tuple-flows.js";

const NUMBERS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  "ipv6-icmp": 58,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  sctp: 132,
};

function protocolOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : NUMBERS[text.toLowerCase()];
}

function countOf(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** conn.log of Zeek, tab-separated. Counts are absent in some of its baselines. */
export function readZeek(path: string): TupleFlow[] {
  let fields: string[] = [];
  const flows: TupleFlow[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line.startsWith("#fields")) fields = line.split("\t").slice(1);
    if (line === "" || line.startsWith("#")) continue;
    const values = line.split("\t");
    const value = (name: string) => values[fields.indexOf(name)];
    const orig = value("id.orig_h");
    const resp = value("id.resp_h");
    if (orig === undefined || resp === undefined || tryParseAddress(orig) === undefined) continue;
    const proto = value("proto") ?? "";
    const number = proto === "icmp" ? (orig.includes(":") ? 58 : 1) : protocolOf(proto);
    const protocol = countOf(value("ip_proto")) ?? number;
    if (protocol === undefined || protocol > 255) continue;
    const isIcmp = protocol === 1 || protocol === 58;
    flows.push({
      protocol,
      originator: endOf(orig, isIcmp ? 0 : Number(value("id.orig_p"))),
      responder: endOf(resp, isIcmp ? 0 : Number(value("id.resp_p"))),
      originatorPackets: countOf(value("orig_pkts")),
      responderPackets: countOf(value("resp_pkts")),
      originatorBytes: countOf(value("orig_ip_bytes")),
      responderBytes: countOf(value("resp_ip_bytes")),
    });
  }
  return flows;
}

interface ArkimeSession {
  readonly body: {
    readonly ipProtocol?: number;
    readonly source: { readonly ip?: string; readonly port?: number; readonly packets?: number };
    readonly destination: { readonly ip?: string; readonly port?: number; readonly packets?: number };
  };
}

/** Sessions of Arkime: those of the innermost IP header. Its bytes are of frames, so they are not compared. */
export function readArkime(path: string): TupleFlow[] {
  const { sessions3 } = JSON.parse(readFileSync(path, "utf8")) as { sessions3: readonly ArkimeSession[] };
  return sessions3.flatMap(({ body: { ipProtocol, source, destination } }) => {
    if (ipProtocol === undefined || ipProtocol === 0 || source.ip === undefined || destination.ip === undefined)
      return [];
    return [
      {
        protocol: ipProtocol,
        originator: endOf(source.ip, source.port ?? 0),
        responder: endOf(destination.ip, destination.port ?? 0),
        originatorPackets: source.packets,
        responderPackets: destination.packets,
      },
    ];
  });
}

const NDPI_FLOW =
  /^\t\d+\t(\S+) (\[[^\]]+\]|[^:\s]+):(\d+) (?:<->|->) (\[[^\]]+\]|[^:\s]+):(\d+) .*?\[(\d+) pkts\/\d+ bytes (?:<->|->) (\d+) pkts/;

/** Flow lines of nDPI's reader: those of the outermost IP header. */
export function readNdpi(path: string): TupleFlow[] {
  return readFileSync(path, "latin1")
    .split("\n")
    .flatMap((line) => {
      const match = NDPI_FLOW.exec(line);
      const protocol = match === null ? undefined : protocolOf(match[1] as string);
      if (match === null || protocol === undefined) return [];
      const bare = (text: string) => text.replace(/[[\]]/g, "");
      return [
        {
          protocol,
          originator: endOf(bare(match[2] as string), Number(match[3])),
          responder: endOf(bare(match[4] as string), Number(match[5])),
          originatorPackets: Number(match[6]),
          responderPackets: Number(match[7]),
        },
      ];
    });
}

/** Argus by `racluster` with one row per directed tuple: | start | end | proto | source | port | way | destination | port | ... */
export function readArgus(path: string): TupleFlow[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, , proto, source, sport, , destination, dport, sourcePackets, destinationPackets] = line
        .split(",")
        .map((value) => value.trim());
      const protocol = protocolOf(proto ?? "");
      if (protocol === undefined || source === undefined || destination === undefined) return [];
      if (tryParseAddress(source) === undefined || tryParseAddress(destination) === undefined) return [];
      const hasPorts = protocol === 6 || protocol === 17 || protocol === 132;
      const port = (text: string | undefined) => (hasPorts ? Number(text) : 0);
      return [
        {
          protocol,
          originator: endOf(source, port(sport)),
          responder: endOf(destination, port(dport)),
          originatorPackets: countOf(sourcePackets),
          responderPackets: countOf(destinationPackets),
        },
      ];
    });
}

/** ipfixprobe's text output: a header of "type NAME" columns, then rows. */
export function readIpfixprobe(path: string): TupleFlow[] {
  const lines = readFileSync(path, "utf8").split("\n");
  const header = lines.find((line) => line.startsWith("ipaddr "));
  if (header === undefined) return [];
  const columns = header.split(",").map((column) => column.split(" ")[1] as string);
  const at = (name: string) => columns.indexOf(name);
  return lines.flatMap((line) => {
    const values = line.split(",");
    const source = values[at("SRC_IP")];
    const destination = values[at("DST_IP")];
    if (line === header || source === undefined || destination === undefined) return [];
    if (tryParseAddress(source) === undefined || tryParseAddress(destination) === undefined) return [];
    const protocol = Number(values[at("PROTOCOL")]);
    return [
      {
        protocol,
        originator: endOf(source, Number(values[at("SRC_PORT")])),
        responder: endOf(destination, Number(values[at("DST_PORT")])),
        originatorPackets: countOf(values[at("PACKETS")]),
        responderPackets: countOf(values[at("PACKETS_REV")]),
        originatorBytes: countOf(values[at("BYTES")]),
        responderBytes: countOf(values[at("BYTES_REV")]),
      },
    ];
  });
}
