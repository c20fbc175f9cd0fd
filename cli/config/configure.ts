import { Command, Option } from "commander";
import { type Environment, effectiveSettings } from "./effective.js";
import { ConfigError, findConfig, readConfig } from "./find-config.js";
import { type Verb, verbsOf } from "./settings.js";

/** The verb that the arguments begin with, and what follows it. */
function verbIn(verbs: readonly Verb[], args: readonly string[]): { verb: Verb; rest: readonly string[] } | undefined {
  for (const verb of verbs) {
    const words = verb.path.split(" ");
    if (words.every((word, i) => args[i] === word)) return { verb, rest: args.slice(words.length) };
  }
  return undefined;
}

/** Which options the arguments give, read by a stand-in that has the verb's options but parses and refuses nothing. */
function flagsIn({ command }: Verb, args: readonly string[]): Command | undefined {
  const standIn = new Command()
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  for (const { flags } of command.options) standIn.addOption(new Option(flags));
  try {
    standIn.option("-h, --help").parseOptions([...args]);
    return standIn;
  } catch {
    return undefined; // an option without its value: the verb itself will say so
  }
}

/**
 * Gives the options of the verb in `args` the values that the settings file and the environment have for them, where no
 * flag does. To be called before the program parses the same arguments.
 * @throws {ConfigError} If settings are wrong. @throws {Failure} If the file cannot be read.
 */
export async function configure(program: Command, args: readonly string[], environment: Environment): Promise<void> {
  const verbs = verbsOf(program);
  const found = verbIn(verbs, args);
  const flags = found === undefined ? undefined : flagsIn(found.verb, found.rest);
  // Help must come also where settings are broken.
  if (found === undefined || flags === undefined || flags.getOptionValue("help") === true) return;
  const path = findConfig(flags.getOptionValue("config"), environment);
  const file = path === undefined ? undefined : await readConfig(path, verbs);
  const { settings, problems } = effectiveSettings(found.verb, file, environment);
  const isFlag = (name: string) => flags.getOptionValueSource(name) === "cli";
  const used = settings.filter(({ setting }) => !isFlag(setting.option.attributeName()));
  const wrong = problems.filter(({ setting }) => !isFlag(setting.option.attributeName()));
  if (wrong.length > 0) throw new ConfigError(wrong);
  for (const { setting, value, origin } of used) {
    if (origin.kind === "default") continue;
    const source = origin.kind === "environment" ? "env" : "config";
    found.verb.command.setOptionValueWithSource(setting.option.attributeName(), value, source);
  }
}
