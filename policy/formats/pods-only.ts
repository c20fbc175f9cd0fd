import type { Inventory } from "../../model/workload.js";
import { allOf, type EndSet } from "../decision/end-set.js";
import type { DirectionProgram, Program, Stage } from "../decision/program.js";
import { podCensus } from "./pod-target.js";

/**
 * The same program where selectors select pods only. Planes of a cluster see no other workloads, while an inventory also
 * knows machines that share a pod's namespace and labels.
 */
export function podsOnly(program: Program, inventory: Inventory): Program {
  const { isPod } = podCensus(inventory.workloads);
  const others = inventory.workloads.filter((workload) => !isPod(workload)).map((workload) => workload.id);
  if (others.length === 0) return program;
  const noPod: EndSet = { kind: "not", set: { kind: "listed", workloads: others } };
  const narrowed = new Map<EndSet, EndSet>();
  const narrow = (set: EndSet): EndSet => {
    let made = narrowed.get(set);
    if (made === undefined) {
      made = rewrite(set);
      narrowed.set(set, made);
    }
    return made;
  };
  const rewrite = (set: EndSet): EndSet => {
    switch (set.kind) {
      case "selected":
        return allOf([set, noPod]);
      case "not":
        return { kind: "not", set: narrow(set.set) };
      case "and":
      case "or":
        return { kind: set.kind, sets: set.sets.map(narrow) };
      case "all":
      case "listed":
      case "addresses":
        return set;
    }
  };
  const stages = (list: readonly Stage[]): Stage[] =>
    list.map(({ name, entries, closures }) => ({
      name,
      entries: entries.map((entry) => ({ ...entry, subjects: narrow(entry.subjects), peers: narrow(entry.peers) })),
      closures: closures.map((closure) => ({ ...closure, subjects: narrow(closure.subjects) })),
    }));
  const direction = ({ enforced, trial }: DirectionProgram): DirectionProgram => ({
    enforced: stages(enforced),
    trial: stages(trial),
  });
  return { ingress: direction(program.ingress), egress: direction(program.egress), selfTraffic: program.selfTraffic };
}
