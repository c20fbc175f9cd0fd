import { TARGET_NAMES } from "../policy/formats/target-names.js";
import { TARGETS, type Target } from "../policy/formats/targets.js";
import type { PolicyMode } from "../policy/policy-set.js";
import { EXIT, Failure } from "./failure.js";

/** @throws {Failure} If no target has the name. */
export function targetNamed(name: string): Target {
  const target = TARGETS.get(name);
  if (target === undefined)
    throw new Failure(`Cannot write for target "${name}": wanted one of ${TARGET_NAMES.join(", ")}`, EXIT.input);
  return target;
}

/**
 * The mode that the user asked for, or the gentlest that the target has.
 * @throws {Failure} If the target cannot be in that mode, or it is no mode.
 */
export function modeNamed(name: string | undefined, target: Target): PolicyMode {
  if (name === undefined) return target.modes[0] as PolicyMode;
  const mode = target.modes.find((candidate) => candidate === name);
  if (mode === undefined) {
    throw new Failure(`Cannot use mode "${name}" for ${target.title}: wanted ${target.modes.join(" or ")}`, EXIT.input);
  }
  return mode;
}
