import type { History } from "./history.js";
import type { DiscoveryOptions } from "./options.js";

/** Where operating systems draw ports that nobody chose: IANA, Windows and BSD first, then Linux. */
const EPHEMERAL_RANGES = [
  { first: 49152, last: 65535 },
  { first: 32768, last: 60999 },
] as const;

/** Ports that a server gave out for the moment, and the range they come from. */
export interface DynamicRange {
  readonly ports: ReadonlySet<number>;
  readonly first: number;
  readonly last: number;
}

/**
 * Passive FTP, RPC and their like answer on a new port each time; a rule per port would deny tomorrow's. A server with
 * at least `dynamicPorts` ports on one protocol keeps as they are its ports below 1024, those that three clients share,
 * and those seen in two windows and in `dynamicKeepShare` of the windows it was seen in. The rest is one class: the
 * smallest ephemeral range of an operating system that holds all of them, else from the lowest to the highest.
 * @param histories all admitted histories of one server and one protocol
 */
export function dynamicRange(histories: readonly History[], options: DiscoveryOptions): DynamicRange | undefined {
  if (histories.length < options.dynamicPorts) return undefined;
  const unitsOf = new Map<number, Set<number>>();
  const clientsOf = new Map<number, Set<string>>();
  const seen = new Set<number>();
  for (const { port, units, client } of histories) {
    const portUnits = unitsOf.get(port) ?? new Set();
    const portClients = clientsOf.get(port) ?? new Set();
    unitsOf.set(port, portUnits);
    clientsOf.set(port, portClients);
    portClients.add(client.key);
    for (const unit of units) {
      portUnits.add(unit);
      seen.add(unit);
    }
  }
  if (unitsOf.size < options.dynamicPorts) return undefined;
  const isKept = (port: number, units: number) =>
    port < 1024 ||
    (clientsOf.get(port)?.size ?? 0) >= 3 ||
    (units >= 2 && units >= options.dynamicKeepShare * seen.size);
  const ports = [...unitsOf].filter(([port, units]) => !isKept(port, units.size)).map(([port]) => port);
  if (ports.length < 2) return undefined;
  const lowest = Math.min(...ports);
  const highest = Math.max(...ports);
  const range = EPHEMERAL_RANGES.find(({ first, last }) => first <= lowest && highest <= last);
  return { ports: new Set(ports), first: range?.first ?? lowest, last: range?.last ?? highest };
}
