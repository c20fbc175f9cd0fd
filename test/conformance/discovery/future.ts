import { foldSightings, groupWindows, historiesBefore } from "../../../analyzer/discovery/history.js";
import { type Learned, learn } from "../../../analyzer/discovery/learn.js";
import { DEFAULT_DISCOVERY_OPTIONS } from "../../../analyzer/discovery/options.js";
import { permitter } from "../../../analyzer/discovery/permits.js";
import { unitsOf } from "../../../analyzer/discovery/units.js";
import type { HourlyNetwork } from "./hourly-graphs.js";

/** What rules learned from the first hours are worth for the rest. */
export interface FutureFigures {
  readonly trainHours: number;
  readonly conversations: number; // learned from
  readonly rules: number;
  readonly falseDeny: number; // share of later conversation windows that no rule permits
  readonly overPermission: number; // permitted cells / cells observed by the end; a class of dynamic ports is one cell
  readonly learned: Learned;
}

/** Chronological, as a user would live it; traffic of a host with itself never meets a policy and is left out. */
export function judgeFuture({ windows, inventory }: HourlyNetwork, trainHours: number): FutureFigures {
  const options = DEFAULT_DISCOVERY_OPTIONS;
  const units = unitsOf(windows, options.shortCaptureUs);
  const sightings = groupWindows(windows, inventory);
  const all = foldSightings(sightings, units);
  const past = historiesBefore(sightings, all, units, trainHours);
  const learned = learn(past, inventory, units, options);
  const isPermitted = permitter(learned);

  const permitted = new Set<string>();
  const ranges = new Map<string, { first: number; last: number; key: string }>(); // dynamic class by server and protocol
  for (const { clients, servers, service } of learned.rules) {
    for (const server of servers) {
      const [first] = service.services;
      if (service.ports > 1 && first?.kind === "ports") {
        ranges.set(`${server.key}/${first.protocol}`, { ...first.ports, key: service.key });
      }
      for (const client of clients) {
        if (client.key !== server.key) permitted.add(`${client.key}>${server.key}/${service.key}`);
      }
    }
  }
  const observed = new Set<string>();
  let later = 0;
  let denied = 0;
  for (const history of all) {
    const { client, server, protocol, port } = history;
    if (client.key === server.key) continue;
    const name = protocol === 6 ? "tcp" : "udp";
    const range = ranges.get(`${server.key}/${name}`);
    const key = range !== undefined && range.first <= port && port <= range.last ? range.key : `${name}/${port}`;
    observed.add(`${client.key}>${server.key}/${key}`);
    const future = history.units.filter((unit) => unit >= trainHours).length;
    later += future;
    if (future > 0 && !isPermitted(history)) denied += future;
  }
  return {
    trainHours,
    conversations: past.length,
    rules: learned.rules.length,
    falseDeny: later === 0 ? 0 : denied / later,
    overPermission: permitted.size / observed.size,
    learned,
  };
}
