import type { Inventory } from "../model/workload.js";
import type { Loss, RenderOptions } from "../policy/bundle.js";
import { type Comparison, compare } from "../policy/compare.js";
import type { Program } from "../policy/decision/program.js";
import { programOfExpressed } from "../policy/expressed-program.js";
import { comparableInventory } from "../policy/formats/comparable.js";
import type { Target } from "../policy/formats/targets.js";
import type { PolicySet } from "../policy/policy-set.js";
import { EXIT } from "./failure.js";
import { lossLines } from "./loss-lines.js";
import { readFolder } from "./read-folder.js";
import { readInventory } from "./read-inventory.js";
import { readPolicy } from "./read-policy.js";
import { modeNamed, targetNamed } from "./target-option.js";
import type { VerifyOptions } from "./verbs/verify.js";

interface Verification {
  readonly options: RenderOptions;
  readonly losses: readonly Loss[];
  readonly comparison: Comparison;
}

/** Compares what the files mean with what the policy comes to in each way in which it may have been exported. */
function verifications(
  target: Target,
  policySet: PolicySet,
  inventory: Inventory,
  written: Program,
  modes: Target["modes"],
): Verification[] {
  return modes.flatMap((mode) =>
    [false, true].map((acceptWidenings): Verification => {
      const options = { mode, acceptWidenings };
      const { expressed, losses } = target.render(policySet, inventory, options);
      return { options, losses, comparison: compare(programOfExpressed(expressed, inventory), written, inventory) };
    }),
  );
}

export function verify(options: VerifyOptions): void {
  const target = targetNamed(options.target);
  const modes = options.mode === undefined ? target.modes : [modeNamed(options.mode, target)];
  const policySet = readPolicy(options.policy);
  const inventory = comparableInventory(readInventory(options.inventory), target.arePodsSelected);
  const written = target.read(readFolder("bundle", options.bundle), inventory);
  const all = verifications(target, policySet, inventory, written, modes);
  const found = all.find(({ comparison }) => comparison.kind === "equal") ?? (all[0] as Verification);
  const { comparison, losses } = found;
  const isEqual = comparison.kind === "equal";
  if (options.json) {
    const report = isEqual
      ? { verdict: "equal", mode: found.options.mode, losses }
      : { verdict: "different", witness: comparison.witness, text: comparison.text };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else if (isEqual) {
    const lines = [`equal: the files mean what the policy says, in mode ${found.options.mode}`];
    if (losses.length > 0) lines.push("up to the losses that export declares:", ...lossLines(losses));
    process.stdout.write(`${lines.join("\n")}\n`);
  } else {
    process.stdout.write(`different: ${comparison.text} (first the policy, second the files)\n`);
  }
  if (!isEqual) process.exitCode = EXIT.no;
}
