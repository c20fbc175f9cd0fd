import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import { type ServiceInterval, servicePoint } from "../../decision/service-line.js";
import { type NftElement, type NftField, type NftMatch, type NftRange, NftSyntaxError } from "./nft-table.js";

/** New connections' first packets: each part absent means any value. Families as 4 and 6. */
export interface PacketBox {
  readonly family: 4 | 6 | undefined;
  readonly source: NftRange | undefined;
  readonly destination: NftRange | undefined;
  readonly protocol: NftRange | undefined;
  readonly ports: NftRange | undefined; // destination
  readonly types: NftRange | undefined; // ICMP
  readonly codes: NftRange | undefined;
  readonly comment: string; // of the element it comes from
}

export const ANY_PACKET: PacketBox = {
  family: undefined,
  source: undefined,
  destination: undefined,
  protocol: undefined,
  ports: undefined,
  types: undefined,
  codes: undefined,
  comment: "",
};

function meet(a: NftRange | undefined, b: NftRange): NftRange | undefined {
  if (a === undefined) return b;
  const { first } = a.first < b.first ? b : a;
  const { last } = b.last < a.last ? b : a;
  return first <= last ? { first, last } : undefined;
}

type RangeKey = "source" | "destination" | "protocol" | "ports" | "types" | "codes";

/** The part of `box` with `key` in `range`; `undefined` when there is none. */
function narrow(box: PacketBox, key: RangeKey, range: NftRange): PacketBox | undefined {
  const met = meet(box[key], range);
  return met === undefined ? undefined : { ...box, [key]: met };
}

function inFamily(box: PacketBox | undefined, family: 4 | 6): PacketBox | undefined {
  if (box === undefined || (box.family !== undefined && box.family !== family)) return undefined;
  return { ...box, family };
}

const only = (number: number): NftRange => ({ first: BigInt(number), last: BigInt(number) });

function withField(box: PacketBox, field: NftField, range: NftRange, where: string): PacketBox | undefined {
  const speaking = (protocol: number, key: RangeKey) => {
    const spoken = narrow(box, "protocol", only(protocol));
    return spoken === undefined ? undefined : narrow(spoken, key, range);
  };
  switch (field) {
    case "ip saddr":
    case "ip6 saddr":
      return inFamily(narrow(box, "source", range), field === "ip saddr" ? 4 : 6);
    case "ip daddr":
    case "ip6 daddr":
      return inFamily(narrow(box, "destination", range), field === "ip daddr" ? 4 : 6);
    case "meta nfproto": {
      if (range.first !== range.last) throw new NftSyntaxError(where, "a range of families", "ipv4 or ipv6");
      return range.first === 2n ? inFamily(box, 4) : range.first === 10n ? inFamily(box, 6) : undefined;
    }
    case "meta l4proto":
      return narrow(box, "protocol", range);
    case "th dport":
      return narrow(box, "ports", range);
    case "tcp dport":
      return speaking(PROTOCOL_NUMBERS.tcp, "ports");
    case "udp dport":
      return speaking(PROTOCOL_NUMBERS.udp, "ports");
    case "sctp dport":
      return speaking(PROTOCOL_NUMBERS.sctp, "ports");
    case "icmp type":
    case "icmp code":
      return inFamily(speaking(PROTOCOL_NUMBERS.icmp, field === "icmp type" ? "types" : "codes"), 4);
    case "icmpv6 type":
    case "icmpv6 code":
      return inFamily(speaking(PROTOCOL_NUMBERS.icmpv6, field === "icmpv6 type" ? "types" : "codes"), 6);
    case "th sport":
      throw new NftSyntaxError(where, field, "no condition on the source port, which is the sender's to choose");
  }
}

function withElement(box: PacketBox, fields: readonly NftField[], element: NftElement, where: string): PacketBox[] {
  let met: PacketBox | undefined = { ...box, comment: element.comment === "" ? box.comment : element.comment };
  fields.forEach((field, at) => {
    const range = element.parts[at];
    if (range === undefined)
      throw new NftSyntaxError(where, fields.join(" . "), "elements with a value for each field");
    if (met !== undefined) met = withField(met, field, range, where);
  });
  return met === undefined ? [] : [met];
}

/** The packets of `boxes` that also meet `match`, whose set holds `elements`. */
export function matchBoxes(
  boxes: readonly PacketBox[],
  match: NftMatch & { readonly kind: "values" | "lookup" },
  elements: readonly NftElement[],
  where: string,
): PacketBox[] {
  if (match.isNegated) throw new NftSyntaxError(where, "!=", "a verdict that depends on what is, not on what is not");
  return boxes.flatMap((box) => elements.flatMap((element) => withElement(box, match.fields, element, where)));
}

const PORT_PROTOCOLS: readonly number[] = [PROTOCOL_NUMBERS.tcp, PROTOCOL_NUMBERS.udp, PROTOCOL_NUMBERS.sctp];
const isWhole = (range: NftRange | undefined, last: bigint) =>
  range === undefined || (range.first === 0n && range.last >= last);

/** What a box lets be spoken. @throws {NftSyntaxError} If it asks for ports of a protocol that has none. */
export function servicesOfBox(box: PacketBox, where: string): ServiceInterval[] {
  const first = Number(box.protocol?.first ?? 0n);
  const last = Number(box.protocol?.last ?? 255n);
  const { types, codes } = box;
  if (types !== undefined || codes !== undefined) {
    const intervals: ServiceInterval[] = [];
    for (let type = Number(types?.first ?? 0n); type <= Number(types?.last ?? 255n); type++) {
      intervals.push({
        first: servicePoint(first, type, Number(codes?.first ?? 0n)),
        last: servicePoint(first, type, Number(codes?.last ?? 255n)),
      });
    }
    return intervals;
  }
  if (isWhole(box.ports, 65535n)) return [{ first: first << 16, last: (last << 16) | 0xffff }];
  const intervals: ServiceInterval[] = [];
  for (let protocol = first; protocol <= last; protocol++) {
    if (!PORT_PROTOCOLS.includes(protocol)) {
      throw new NftSyntaxError(where, `ports of protocol ${protocol}`, "ports of TCP, UDP or SCTP");
    }
    intervals.push({
      first: servicePoint(protocol, Number(box.ports?.first)),
      last: servicePoint(protocol, Number(box.ports?.last)),
    });
  }
  return intervals;
}
