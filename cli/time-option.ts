import { InvalidArgumentError } from "commander";
import { parseTimeUs } from "../model/time-window.js";

/** Parses an option that is a time, to microseconds. */
export function timeOption(text: string): number {
  try {
    return parseTimeUs(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
