import { formatCidr, parseCidr } from "../../../model/cidr.js";
import { PROTOCOL_NUMBERS } from "../../../model/protocol.js";
import type { Direction, NamedService } from "../../decision/program.js";
import {
  ALL_SERVICES,
  complementIntervals,
  intersectIntervals,
  intervalsOfService,
  mergeIntervals,
  type ServiceInterval,
  servicePoint,
  subtractIntervals,
} from "../../decision/service-line.js";
import type { ManifestNode } from "../manifest/manifest-node.js";
import type { CalicoRule, EntityRule, RuleServices } from "./calico-policy.js";
import { parseSelector, type SelectorExpression } from "./selector-expression.js";

const PROTOCOLS: Readonly<Record<string, number>> = {
  tcp: PROTOCOL_NUMBERS.tcp,
  udp: PROTOCOL_NUMBERS.udp,
  icmp: PROTOCOL_NUMBERS.icmp,
  icmpv6: PROTOCOL_NUMBERS.icmpv6,
  sctp: PROTOCOL_NUMBERS.sctp,
  udplite: PROTOCOL_NUMBERS.udplite,
};

export function parseSelectorNode(node: ManifestNode | undefined): SelectorExpression | undefined {
  if (node === undefined || node.isNull) return undefined;
  return node.text().trim() === "" ? undefined : node.parsed(parseSelector);
}

export function parseNet(node: ManifestNode): string {
  return node.parsed((text) => formatCidr(parseCidr(text)));
}

function parseProtocolNode(node: ManifestNode): number {
  if (!node.isText) return node.integer(1, 255);
  const text = node.text();
  const number = PROTOCOLS[text.toLowerCase()] ?? (/^\d{1,3}$/.test(text) ? Number(text) : undefined);
  if (number === undefined || number > 255) {
    throw node.error(`Cannot read protocol "${text}": wanted TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number 1..255`);
  }
  return number;
}

interface Ports {
  readonly intervals: readonly ServiceInterval[]; // of the protocol
  readonly named: readonly NamedService[];
}

/** Numbers, `first:last` and names. */
function parsePorts(nodes: readonly ManifestNode[], protocol: number): Ports {
  const intervals: ServiceInterval[] = [];
  const named: NamedService[] = [];
  for (const node of nodes) {
    const text = node.isText ? node.text() : String(node.integer(0, 65535));
    const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text);
    if (match === null) {
      if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/i.test(text))
        throw node.error(`Cannot read port "${text}": wanted a number, first:last or a name`);
      named.push({ protocol, name: text });
      continue;
    }
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (first > last || last > 65535) throw node.error(`Cannot read ports "${text}": wanted first <= last <= 65535`);
    intervals.push({ first: servicePoint(protocol, first), last: servicePoint(protocol, last) });
  }
  return { intervals: mergeIntervals(intervals), named };
}

function parseIcmp(node: ManifestNode, protocol: number): readonly ServiceInterval[] {
  const { type, code } = node.knownFields(["type", "code"]);
  if (type === undefined && code !== undefined) throw node.error(`Cannot read ${node.field}: wanted type beside code`);
  return intervalsOfService({
    kind: "icmp",
    protocol: protocol === PROTOCOL_NUMBERS.icmpv6 ? "icmpv6" : "icmp",
    ...(type === undefined ? {} : { type: type.integer(0, 254) }),
    ...(code === undefined ? {} : { code: code.integer(0, 255) }),
  });
}

const ENTITY_FIELDS = [
  "nets",
  "notNets",
  "selector",
  "notSelector",
  "namespaceSelector",
  "ports",
  "notPorts",
  "serviceAccounts",
  "services",
] as const;

/** What says who is meant, so that a Service beside it would say it twice. */
const SELECTING_FIELDS = [
  "nets",
  "notNets",
  "selector",
  "notSelector",
  "namespaceSelector",
  "serviceAccounts",
] as const;

type EntityFields = Partial<Readonly<Record<(typeof ENTITY_FIELDS)[number], ManifestNode>>>;

function parseEntity(fields: EntityFields): EntityRule {
  const accounts = fields.serviceAccounts?.knownFields(["names", "selector"]);
  const service = fields.services?.knownFields(["name", "namespace"]);
  if (fields.services !== undefined && service?.name === undefined) {
    throw fields.services.error(`Cannot read ${fields.services.field}: wanted name`);
  }
  const beside = SELECTING_FIELDS.find((name) => fields[name] !== undefined);
  if (fields.services !== undefined && beside !== undefined) {
    throw fields.services.error(`Cannot read ${fields.services.field}: wanted it or ${beside}, not both`);
  }
  const nets = fields.nets?.items().map(parseNet) ?? [];
  return {
    nets: nets.length === 0 ? undefined : nets,
    notNets: fields.notNets?.items().map(parseNet) ?? [],
    selector: parseSelectorNode(fields.selector),
    notSelector: parseSelectorNode(fields.notSelector),
    namespaceSelector: parseSelectorNode(fields.namespaceSelector),
    serviceAccounts:
      accounts === undefined
        ? undefined
        : {
            names: accounts.names?.items().map((item) => item.text()) ?? [],
            selector: parseSelectorNode(accounts.selector),
          },
    service:
      service?.name === undefined ? undefined : { name: service.name.text(), namespace: service.namespace?.text() },
    hasPorts: (fields.ports?.items().length ?? 0) > 0 || (fields.notPorts?.items().length ?? 0) > 0,
  };
}

type RuleFields = Partial<Readonly<Record<"protocol" | "notProtocol" | "icmp" | "notICMP", ManifestNode>>>;

function parseServices(fields: RuleFields, destination: EntityFields): RuleServices {
  const { protocol, notProtocol, icmp, notICMP } = fields;
  const ports = destination.ports?.items() ?? [];
  const notPorts = destination.notPorts?.items() ?? [];
  const number = protocol === undefined || protocol.isNull ? undefined : parseProtocolNode(protocol);
  for (const [nodes, field] of [
    [ports, destination.ports],
    [notPorts, destination.notPorts],
  ] as const) {
    const speaksPorts =
      number === PROTOCOL_NUMBERS.tcp || number === PROTOCOL_NUMBERS.udp || number === PROTOCOL_NUMBERS.sctp;
    if (nodes.length > 0 && !speaksPorts)
      throw field!.error(`Cannot read ${field!.field}: wanted protocol TCP, UDP or SCTP beside it`);
  }
  let intervals: readonly ServiceInterval[] = [ALL_SERVICES];
  const keep = (part: readonly ServiceInterval[]) => {
    intervals = intersectIntervals(intervals, part);
  };
  if (number !== undefined) keep(intervalsOfService({ kind: "protocol", protocol: number }));
  if (notProtocol !== undefined && !notProtocol.isNull) {
    keep(complementIntervals(intervalsOfService({ kind: "protocol", protocol: parseProtocolNode(notProtocol) })));
  }
  if (icmp !== undefined) keep(parseIcmp(icmp, number ?? PROTOCOL_NUMBERS.icmp));
  if (notICMP !== undefined) keep(complementIntervals(parseIcmp(notICMP, number ?? PROTOCOL_NUMBERS.icmp)));
  const wanted = parsePorts(ports, number ?? 0);
  const unwanted = parsePorts(notPorts, number ?? 0);
  intervals = subtractIntervals(intervals, unwanted.intervals);
  if (ports.length === 0) return { intervals, named: [], notNamed: unwanted.named };
  return { intervals: intersectIntervals(intervals, wanted.intervals), named: wanted.named, notNamed: unwanted.named };
}

/** One rule of a policy or a profile. */
export function parseRule(node: ManifestNode, index: number, direction: Direction): CalicoRule {
  const fields = node.knownFields([
    ...["action", "protocol", "notProtocol", "icmp", "notICMP", "ipVersion", "http"],
    ...["source", "destination", "metadata"],
  ] as const) as Partial<Readonly<Record<string, ManifestNode>>>;
  if (fields.action === undefined) throw node.error(`Cannot read ${node.field}: wanted action`);
  const action = fields.action.text().toLowerCase();
  if (action !== "allow" && action !== "deny" && action !== "pass" && action !== "log") {
    throw fields.action.error(`Cannot read action "${fields.action.text()}": wanted Allow, Deny, Pass or Log`);
  }
  const sourceFields = fields.source?.knownFields(ENTITY_FIELDS) ?? {};
  const destinationFields = fields.destination?.knownFields(ENTITY_FIELDS) ?? {};
  const source = parseEntity(sourceFields);
  const version = fields.ipVersion;
  const narrowedBy = [fields.http === undefined ? [] : ["HTTP"], source.hasPorts ? ["source ports"] : []].flat();
  return {
    name: `${direction}[${index}]`,
    action,
    ipVersion: version === undefined || version.isNull ? undefined : version.integer(4, 6) === 4 ? 4 : 6,
    services: parseServices(fields as RuleFields, destinationFields),
    source,
    destination: parseEntity(destinationFields),
    narrowedBy: narrowedBy.length === 0 ? undefined : narrowedBy.join(" and "),
  };
}
