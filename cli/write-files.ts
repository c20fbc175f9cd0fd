import { renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { EXIT, Failure } from "./failure.js";
import { makeFolder } from "./make-folder.js";

export interface OutputFile {
  readonly path: string; // relative to the folder
  readonly text: string;
}

/**
 * Writes files below `folder`, making folders as needed. Each file is complete or not there: it is written beside its
 * place and moved in.
 * @throws {Failure} For a full disk or a folder that may not be written; what was written before stays.
 */
export function writeFiles(folder: string, files: readonly OutputFile[]): void {
  for (const file of files) {
    const path = join(folder, file.path);
    try {
      makeFolder(dirname(path));
      writeFileSync(`${path}.part`, file.text);
      renameSync(`${path}.part`, path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(`Cannot write "${path}": ${reason}`, EXIT.environment, { cause: error });
    }
  }
}
