import type { BundleFile } from "../../bundle.js";
import type { Program } from "../../decision/program.js";
import { parseNftText } from "./parse-text.js";
import { programOfTables } from "./program-of-table.js";

const HOST = /^# host (".*")$/m;

/**
 * What the rulesets of several hosts mean together. Each file says in its head whose it is.
 * @throws {SyntaxError} If a file does not, or holds a statement that is not ours; the message begins with the path.
 */
export function readNftBundle(files: readonly BundleFile[]): Program {
  const hosts = files
    .filter((file) => file.path.endsWith(".nft"))
    .map(({ path, text }) => {
      try {
        const host: unknown = JSON.parse(HOST.exec(text)?.[1] ?? "null");
        if (typeof host !== "string")
          throw new SyntaxError('Cannot read nftables: wanted a line # host "ID" at the top');
        return { workload: host, table: parseNftText(text) };
      } catch (error) {
        if (error instanceof SyntaxError) throw new SyntaxError(`${path}: ${error.message}`, { cause: error });
        throw error;
      }
    });
  return programOfTables(hosts);
}
