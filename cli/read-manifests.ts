import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { ManifestFile } from "../policy/formats/manifest/manifest-objects.js";
import { EXIT, Failure } from "./failure.js";
import { readText } from "./read-text.js";

const MANIFEST = /\.(ya?ml|json)$/i;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path);
      return MANIFEST.test(entry.name) ? [path] : [];
    });
}

/**
 * All YAML and JSON files of a folder and the folders in it, or the one file that was named.
 * @throws {Failure} If there is no such path, or nothing in it.
 */
export function readManifests(path: string): ManifestFile[] {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) return [{ path, text: readText("manifests", path) }];
  const paths = filesBelow(path);
  if (paths.length === 0) {
    throw new Failure(`Cannot read manifests in "${path}": wanted at least one .yaml, .yml or .json file`, EXIT.input);
  }
  return paths.map((file) => ({ path: relative(path, file), text: readText("manifest", file) }));
}
