import { EMPTY_INVENTORY, type Inventory } from "../model/workload.js";
import { type CompiledPolicy, compileTogether } from "../policy/decision/compiled-policy.js";
import type { Program } from "../policy/decision/program.js";
import { describeDifferences, formatChange } from "../policy/describe-differences.js";
import { PLANE_READERS } from "../policy/formats/plane.js";
import { programOfPolicySet } from "../policy/neutral.js";
import { EXIT, Failure } from "./failure.js";
import { readFolder } from "./read-folder.js";
import { readInventory } from "./read-inventory.js";
import { readManifests } from "./read-manifests.js";
import { readPolicy } from "./read-policy.js";
import { targetNamed } from "./target-option.js";
import type { DiffOptions } from "./verbs/diff.js";

/** One side: the workloads that it brings along, and its meaning once all workloads are known. */
interface Side {
  readonly inventory: Inventory;
  readonly programOver: (inventory: Inventory) => Program;
}

function readSide(path: string, target: string | undefined, inventory: Inventory | undefined): Side {
  if (path.endsWith(".json")) {
    const policySet = readPolicy(path);
    return { inventory: EMPTY_INVENTORY, programOver: (all) => programOfPolicySet(policySet, all) };
  }
  if (target === undefined) {
    throw new Failure(`Cannot read "${path}": wanted --target for files that are no policy.json`, EXIT.input);
  }
  if (inventory !== undefined) {
    const files = readFolder("bundle", path);
    return { inventory: EMPTY_INVENTORY, programOver: (all) => targetNamed(target).read(files, all) };
  }
  const read = PLANE_READERS.get(target);
  if (read === undefined) {
    throw new Failure(
      `Cannot read "${path}" for target "${target}": wanted --inventory with the workloads`,
      EXIT.input,
    );
  }
  const { program, cluster } = read(readManifests(path));
  return { inventory: cluster.inventory, programOver: () => program };
}

/** The workloads of both sides; where both know one, as the second knows it. */
function mergeInventories(first: Inventory, second: Inventory): Inventory {
  const ids = new Set(second.workloads.map(({ id }) => id));
  const names = new Set(second.namespaces.map(({ name }) => name));
  const workloads = [...second.workloads, ...first.workloads.filter(({ id }) => !ids.has(id))];
  return {
    ...second,
    workloads: workloads.sort((a, b) => (a.id < b.id ? -1 : 1)),
    namespaces: [...second.namespaces, ...first.namespaces.filter(({ name }) => !names.has(name))],
  };
}

export function diff(first: string, second: string, options: DiffOptions): void {
  const given = options.inventory === undefined ? undefined : readInventory(options.inventory);
  const one = readSide(first, options.target, given);
  const other = readSide(second, options.targetOfSecond ?? options.target, given);
  const inventory = given ?? mergeInventories(one.inventory, other.inventory);
  const [before, after] = compileTogether([one.programOver(inventory), other.programOver(inventory)], inventory) as [
    CompiledPolicy,
    CompiledPolicy,
  ];
  const changes = describeDifferences(before, after);
  if (options.json) process.stdout.write(`${JSON.stringify({ changes }, undefined, 2)}\n`);
  else if (changes.length === 0) process.stdout.write("equal: every packet gets the same verdict\n");
  else process.stdout.write(`${changes.map(formatChange).join("\n")}\n`);
  if (changes.length > 0) process.exitCode = EXIT.no;
}
