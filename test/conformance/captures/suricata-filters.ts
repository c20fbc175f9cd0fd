import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { FlowRecord } from "../../../model/flow-record.js";
import { formatProtocol } from "../../../model/protocol.js";
import { endOf } from "./tuple-flows.js";

type Match = Readonly<Record<string, unknown>>;

interface TestFile {
  readonly checks?: readonly { readonly filter?: { readonly count?: number; readonly match?: Match } }[];
}

function isFlow(match: Match): boolean {
  return match.event_type === "flow" && typeof match.src_ip === "string" && typeof match.dest_ip === "string";
}

const PROTOCOLS: Readonly<Record<string, string>> = {
  "ip-in-ip": "ipip",
  "ipv6-icmp": "icmpv6",
  "udp-lite": "udplite",
};

/** The flow that a filter describes, among ours; a field that the filter leaves open fits all. */
function findFlow(match: Match, flows: readonly FlowRecord[]): FlowRecord | undefined {
  const has = (name: string) => match[name] !== undefined;
  const port = (name: string, own: number) => (typeof match[name] === "number" ? (match[name] as number) : own);
  const protocol = String(match.proto ?? "").toLowerCase();
  return flows.find((flow) => {
    const { originator, responder } = flow;
    const isIcmp = flow.protocol === 1 || flow.protocol === 58;
    const fits = (source: typeof originator, destination: typeof responder) =>
      endOf(String(match.src_ip), isIcmp ? 0 : port("src_port", source.port)) === endOf(source.address, source.port) &&
      endOf(String(match.dest_ip), isIcmp ? 0 : port("dest_port", destination.port)) ===
        endOf(destination.address, destination.port);
    return (
      (!has("proto") || (PROTOCOLS[protocol] ?? protocol) === formatProtocol(flow.protocol)) &&
      (!has("vlan") || JSON.stringify(match.vlan) === JSON.stringify(flow.vlan)) &&
      (fits(originator, responder) || fits(responder, originator))
    );
  });
}

/**
 * What Suricata's own tests say of flow events, held against our flows.
 * @returns `undefined` when the test says nothing of flows with addresses
 */
export function checkSuricata(path: string, flows: readonly FlowRecord[]): readonly string[] | undefined {
  let test: TestFile;
  try {
    test = parse(readFileSync(path, "utf8")) as TestFile;
  } catch {
    return undefined; // a few are written for a laxer parser
  }
  const matches = (test.checks ?? []).flatMap(({ filter }) =>
    filter?.match !== undefined && filter.count !== 0 && isFlow(filter.match) ? [filter.match] : [],
  );
  if (matches.length === 0) return undefined;
  return matches.flatMap((match) => {
    const described = `${match.proto ?? "?"} ${match.src_ip} ${match.src_port ?? "?"} ${match.dest_ip} ${match.dest_port ?? "?"}`;
    return findFlow(match, flows) === undefined ? [`${described} is missing`] : [];
  });
}
