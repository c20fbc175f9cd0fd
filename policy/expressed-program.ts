import type { Inventory } from "../model/workload.js";
import type { ExpressedPolicy } from "./bundle.js";
import { allOf, type EndSet } from "./decision/end-set.js";
import type { Direction, DirectionProgram, Program, Stage } from "./decision/program.js";
import { type NameTable, programOfPolicySet } from "./neutral.js";

/** The meaning that a bundle claims to have: its policy set, with the ends that no file isolates left open. */
export function programOfExpressed(expressed: ExpressedPolicy, inventory: Inventory, names?: NameTable): Program {
  const program = programOfPolicySet(expressed.policySet, inventory, names);
  const open = (direction: Direction): EndSet => ({
    kind: "not",
    set: {
      kind: "listed",
      workloads: expressed.unenforced.filter((end) => end.direction === direction).map((end) => end.workload),
    },
  });
  const without = (stages: readonly Stage[], direction: Direction): Stage[] =>
    stages.map((stage) => ({
      ...stage,
      closures: stage.closures.map((closure) => ({ ...closure, subjects: allOf([closure.subjects, open(direction)]) })),
    }));
  const opened = (part: DirectionProgram, direction: Direction): DirectionProgram => ({
    enforced: without(part.enforced, direction),
    trial: without(part.trial, direction),
  });
  return {
    ingress: opened(program.ingress, "ingress"),
    egress: opened(program.egress, "egress"),
    selfTraffic: program.selfTraffic,
  };
}
