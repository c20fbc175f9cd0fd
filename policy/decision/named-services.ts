import type { Inventory } from "../../model/workload.js";
import { allOf } from "./end-set.js";
import type { Direction, DirectionProgram, Entry, NamedService, Program } from "./program.js";
import { servicePoint } from "./service-line.js";

/** For each port number that serves under the name, the workloads that do so. */
function serversByPort(inventory: Inventory, named: NamedService): Map<number, string[]> {
  const servers = new Map<number, string[]>();
  for (const workload of inventory.workloads) {
    for (const port of workload.namedPorts ?? []) {
      if (port.name !== named.name || port.protocol !== named.protocol) continue;
      const members = servers.get(port.port);
      if (members === undefined) servers.set(port.port, [workload.id]);
      else if (members.at(-1) !== workload.id) members.push(workload.id);
    }
  }
  return servers;
}

/**
 * Replaces port names by numbers. A name means what the serving workload says, so an entry becomes one entry per number,
 * each for the workloads that serve the name there: the subjects of ingress, the peers of egress.
 */
export function resolveNamedServices(program: Program, inventory: Inventory): Program {
  const known = new Map<string, Map<number, string[]>>();
  const resolveEntry = (entry: Entry, direction: Direction): Entry[] => {
    if (entry.services.named.length === 0) return [entry];
    const entries: Entry[] = [];
    const { intervals } = entry.services;
    if (intervals.length > 0) entries.push({ ...entry, services: { intervals, named: [] } });
    for (const named of entry.services.named) {
      const key = `${named.protocol}/${named.name}`;
      const servers = known.get(key) ?? serversByPort(inventory, named);
      known.set(key, servers);
      for (const [port, workloads] of servers) {
        const point = servicePoint(named.protocol, port);
        const services = { intervals: [{ first: point, last: point }], named: [] };
        const serving = { kind: "listed", workloads } as const;
        if (direction === "ingress") entries.push({ ...entry, subjects: allOf([entry.subjects, serving]), services });
        else entries.push({ ...entry, peers: allOf([entry.peers, serving]), services });
      }
    }
    return entries;
  };
  const resolveDirection = (part: DirectionProgram, direction: Direction): DirectionProgram => ({
    enforced: part.enforced.map((stage) => ({
      ...stage,
      entries: stage.entries.flatMap((entry) => resolveEntry(entry, direction)),
    })),
    trial: part.trial.map((stage) => ({
      ...stage,
      entries: stage.entries.flatMap((entry) => resolveEntry(entry, direction)),
    })),
  });
  return {
    ingress: resolveDirection(program.ingress, "ingress"),
    egress: resolveDirection(program.egress, "egress"),
    selfTraffic: program.selfTraffic,
  };
}
