import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { BundleFile } from "../policy/bundle.js";
import { EXIT, Failure } from "./failure.js";
import { readText } from "./read-text.js";

/** The paths of all files below `folder`, sorted. @throws {Failure} If it is no folder. */
export function filesBelow(what: string, folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length))
      .sort();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`Cannot read ${what} "${folder}": ${reason}`, EXIT.input, { cause: error });
  }
}

/** Every file below `folder`, by its path in there, sorted. @throws {Failure} If it is no folder. */
export function readFolder(what: string, folder: string): BundleFile[] {
  return filesBelow(what, folder).map((path) => ({ path, text: readText(what, join(folder, path)) }));
}
