import { existsSync } from "node:fs";
import { EXIT, Failure } from "../failure.js";
import { readText } from "../read-text.js";
import type { ConfigFile, ConfigProblem } from "./config-file.js";
import type { Environment } from "./effective.js";
import type { Verb } from "./settings.js";

/** Where settings are looked for when nobody names a file; only the first that is there counts. */
export const CONFIG_PATHS = ["portolan.yaml", "/etc/portolan/portolan.yaml"] as const;

/** Settings that cannot be used; one line for each thing that is wrong. */
export class ConfigError extends Failure {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(problems.map(({ message }) => message).join("\n"), EXIT.input);
    this.name = "ConfigError";
  }
}

/** The file that was named, else the first of `CONFIG_PATHS` that is there. */
export function findConfig(named: string | undefined, environment: Environment): string | undefined {
  const given = named ?? (environment.PORTOLAN_CONFIG === "" ? undefined : environment.PORTOLAN_CONFIG);
  return given ?? CONFIG_PATHS.find((path) => existsSync(path));
}

/** @throws {ConfigError} If anything in it is wrong, also in the sections of other verbs. @throws {Failure} If it cannot be read. */
export async function readConfig(path: string, verbs: readonly Verb[]): Promise<ConfigFile> {
  const { parseConfigFile } = await import("./parse-config-file.js"); // YAML is for those who have a file
  const { file, problems } = parseConfigFile(readText("settings", path), path, verbs);
  if (problems.length > 0) throw new ConfigError(problems);
  return file;
}
