import { parseAddress } from "../../model/address.js";
import { parseCidr, rangeOfCidr } from "../../model/cidr.js";
import type { Labels } from "../../model/label-selector.js";
import type { ServiceInterval } from "../../policy/decision/service-line.js";
import { parsePorts, parseRange, portsBetween, portsText } from "./connectivity.js";
import type { Town } from "./town.js";

/** One end of a line: workloads by namespace and name or label, or IPv4 addresses. */
type MapEnd =
  | { readonly kind: "pods"; readonly matches: (namespace: string, name: string, labels: Labels) => boolean }
  | { readonly kind: "addresses"; readonly first: bigint; readonly last: bigint }
  | { readonly kind: "other" }; // a DNS name, or addresses of the other family

interface MapLine {
  readonly from: MapEnd;
  readonly to: MapEnd;
  readonly intervals: readonly ServiceInterval[];
}

const OTHER: MapEnd = { kind: "other" };

/** `All connections`, or `{protocols:TCP,dst_ports:80-90,443}`; several of them joined by "; ". */
function parseConnections(text: string): readonly ServiceInterval[] {
  if (/^all connections$/i.test(text)) return [{ first: 0, last: (1 << 24) - 1 }];
  return text.split(/;\s*/).flatMap((part) => {
    const match = /^\{protocols:([A-Z,]+)(?:,dst_ports:([-\d,]+))?\}$/.exec(part);
    if (match === null) throw new SyntaxError(`Cannot parse connections "${part}": wanted protocols and ports`);
    return match[1]!.split(",").flatMap((name) => {
      const protocol = { TCP: 6, UDP: 17, SCTP: 132 }[name];
      if (protocol === undefined) return []; // such as ICMP: no list of ports speaks of it
      return (match[2] ?? "0-65535").split(",").map((range) => {
        const [first, last] = range.split("-").map(Number);
        return { first: (protocol << 16) | first!, last: (protocol << 16) | (last ?? first!) };
      });
    });
  });
}

function addressEnd(text: string): MapEnd {
  if (!/^[\d.]+(\/\d+|-[\d.]+)?$/.test(text)) return OTHER;
  const range = text.includes("/") ? rangeOfCidr(parseCidr(text)) : parseRange(text);
  return { kind: "addresses", first: range.first, last: range.last };
}

/** `*`, a name, or `key in (a,b)`; lists hold several. */
function podsMatcher(text: string): (name: string, labels: Labels) => boolean {
  if (text === "*") return () => true;
  const query = /^(\S+) in \(([^)]*)\)$/.exec(text);
  if (query !== null) return (_, labels) => query[2]!.split(",").includes(labels[query[1]!] ?? "");
  const equal = /^([^=\s]+)=(\S+)$/.exec(text);
  if (equal !== null) return (_, labels) => labels[equal[1]!] === equal[2];
  if (!/^[-\w.,/]+$/.test(text)) throw new SyntaxError(`Cannot parse pods "${text}": wanted names or one query`);
  const names = text.split(",");
  return (name) => names.includes(name);
}

const WITH_RULES =
  /^src(?:_ns: \[([^\]]*)\] src_pods: \[([^\]]*)\]|: (\S+)) dst(?:_ns: \[([^\]]*)\] dst_pods: \[([^\]]*)\]|: (\S+)) conn: (.+)$/;
const PLAIN = /^(\S+) => (\S+) : (.+)$/;

function podsEnd(namespaces: string, pods: string): MapEnd {
  const places = namespaces.split(",");
  const matches = podsMatcher(pods);
  return { kind: "pods", matches: (namespace, name, labels) => places.includes(namespace) && matches(name, labels) };
}

function plainEnd(text: string): MapEnd {
  const name = text.replace(/\[[^\]]*\]$/, "");
  if (!name.includes("/") || /^[\d.]+\/\d+$/.test(name)) return addressEnd(name);
  return { kind: "pods", matches: (namespace, own) => `${namespace}/${own}` === name };
}

/** @throws {SyntaxError} For a line in words that this reader does not know. */
export function parseMap(text: string): MapLine[] {
  return text.split("\n").flatMap((line): MapLine[] => {
    const rule = WITH_RULES.exec(line);
    if (rule !== null) {
      const [, fromPlaces, fromPods, from, toPlaces, toPods, to, connections] = rule;
      return [
        {
          from: from === undefined ? podsEnd(fromPlaces!, fromPods!) : addressEnd(from),
          to: to === undefined ? podsEnd(toPlaces!, toPods!) : addressEnd(to),
          intervals: parseConnections(connections!),
        },
      ];
    }
    const plain = PLAIN.exec(line);
    if (plain === null) return [];
    return [{ from: plainEnd(plain[1]!), to: plainEnd(plain[2]!), intervals: parseConnections(plain[3]!) }];
  });
}

/** Every pair of ends about which a map and our engine disagree. */
export function compareMap(town: Town, lines: readonly MapLine[]): string[] {
  const outsiders = new Set(town.outsiders());
  const ends = [
    ...town.names.map((name) => ({ name, point: town.pointOf(name), value: undefined })),
    ...[...outsiders]
      .map((name) => ({ name, point: town.policy.pointOfAddress(parseAddress(name)), value: parseAddress(name).value }))
      .filter(({ point }) => point >= town.policy.sets.space.workloadPoints.length),
  ];
  const isIn = (end: MapEnd, { name, value }: (typeof ends)[number]): boolean => {
    if (end.kind === "addresses") return value !== undefined && end.first <= value && value <= end.last;
    if (end.kind === "other" || value !== undefined) return false;
    const slash = name.indexOf("/");
    return end.matches(name.slice(0, slash), name.slice(slash + 1), town.labelsOf(name));
  };
  return ends.flatMap((from) =>
    ends.flatMap((to) => {
      if (from === to || (from.value !== undefined && to.value !== undefined)) return [];
      const intervals = lines.filter((line) => isIn(line.from, from) && isIn(line.to, to)).flatMap((l) => l.intervals);
      const theirs = portsText([...intervals].sort((a, b) => a.first - b.first));
      const ours = portsBetween(town.policy, from.point, to.point);
      return parsePorts(theirs === "" ? "no connections" : theirs.replaceAll(/ (?=[A-Z])/g, ",")) === ours
        ? []
        : [`${from.name} => ${to.name}: theirs "${theirs}", ours "${ours}"`];
    }),
  );
}
