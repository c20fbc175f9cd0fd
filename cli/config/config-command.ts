import { Command } from "commander";
import { ALERT_SECRET_VARIABLE } from "../alert-option.js";
import { EXIT, Failure } from "../failure.js";
import { KAFKA_PASSWORD_VARIABLE } from "../kafka-option.js";
import { type ConfigFile, formatPlace } from "./config-file.js";
import { type Effective, type Environment, effectiveSettings } from "./effective.js";
import { CONFIG_PATHS, ConfigError, findConfig, readConfig } from "./find-config.js";
import { COMMON, settingsOf, type Verb, verbsOf } from "./settings.js";

/** The verbs that go on running, shown even when nothing is set for them. */
const PROCESSES = ["run", "collect", "analyzer", "enforce"];

/** Variables of ours that are no option: they name a file, hold a secret, or belong to the build and its tests. */
const OTHER_VARIABLES = new Set(["PORTOLAN_CONFIG", KAFKA_PASSWORD_VARIABLE, ALERT_SECRET_VARIABLE]);

function originText({ origin }: Effective): string {
  switch (origin.kind) {
    case "environment":
      return origin.variable;
    case "file":
      return formatPlace(origin.place);
    case "default":
      return "default";
  }
}

interface VerbSettings {
  readonly verb: string;
  readonly settings: readonly Effective[];
}

function isShown(verb: Verb, settings: readonly Effective[], file: ConfigFile | undefined): boolean {
  if (PROCESSES.includes(verb.path) || file?.sections.has(verb.path)) return true;
  return settings.some(({ origin }) => origin.kind !== "default");
}

function settingsOfAll(verbs: readonly Verb[], file: ConfigFile | undefined, environment: Environment): VerbSettings[] {
  const lines = new Set<string>();
  const shown = verbs.flatMap((verb) => {
    const { settings, problems } = effectiveSettings(verb, file, environment);
    for (const { message } of problems) lines.add(message);
    return isShown(verb, settings, file) ? [{ verb: verb.path, settings }] : [];
  });
  if (lines.size > 0) throw new ConfigError([...lines].map((message) => ({ message })));
  return shown;
}

/** Variables that look like ours and mean nothing to any verb: a slip of the pen, or a link that Kubernetes made. */
function strangers(verbs: readonly Verb[], environment: Environment): string[] {
  const known = new Set(verbs.flatMap(settingsOf).map(({ variable }) => variable));
  return Object.keys(environment)
    .filter((name) => name.startsWith("PORTOLAN_") && !known.has(name) && !OTHER_VARIABLES.has(name))
    .sort();
}

function jsonOf(path: string | undefined, shown: readonly VerbSettings[], unknownVariables: readonly string[]): string {
  const verbs = Object.fromEntries(
    shown.map(({ verb, settings }) => [
      verb,
      settings.map((effective) => ({
        setting: effective.setting.key,
        value: effective.text ?? null,
        from: originText(effective),
      })),
    ]),
  );
  return `${JSON.stringify({ file: path ?? null, verbs, unknownVariables }, null, 2)}\n`;
}

function textOf(shown: readonly VerbSettings[]): string {
  return shown
    .map(({ verb, settings }) => {
      const cells = settings.map((effective) => [
        effective.setting.key,
        effective.text ?? (effective.setting.kind === "switch" ? "false" : "-"),
        originText(effective),
      ]);
      const width = (column: number) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0));
      const [keyWidth, textWidth] = [width(0), width(1)];
      const lines = cells.map(
        ([key = "", text = "", from]) => `  ${key.padEnd(keyWidth)}  ${text.padEnd(textWidth)}  ${from}\n`,
      );
      return `${verb}\n${lines.join("")}`;
    })
    .join("\n");
}

export function configCommand(): Command {
  const check = new Command("check")
    .description("validate settings, and print what each verb runs with and where that comes from")
    .argument("[file]", `settings file (default: PORTOLAN_CONFIG, else ${CONFIG_PATHS.join(", else ")})`)
    .option("--json", "print the settings as JSON")
    .addHelpText(
      "after",
      `
A flag beats the environment, the environment beats the file (the verb's section, then "${COMMON}"), the file beats the default.
Settings name files that hold secrets, never the secrets themselves, so nothing printed here is one.

Exit codes: ${EXIT.done} valid; ${EXIT.input} something is wrong: one line for each, with file, line and column.

Example:
  portolan config check /etc/portolan/portolan.yaml`,
    )
    .action((named: string | undefined, options: { json?: true }) => {
      const root = check.parent?.parent;
      if (root === null || root === undefined) throw new Failure("Cannot check settings: no verbs", EXIT.input);
      const verbs = verbsOf(root);
      const path = findConfig(named, process.env);
      const file = path === undefined ? undefined : readConfig(path, verbs);
      const shown = settingsOfAll(verbs, file, process.env);
      const strange = strangers(verbs, process.env);
      if (options.json) return void process.stdout.write(jsonOf(path, shown, strange));
      process.stdout.write(`${path === undefined ? "no settings file" : `${path} is valid`}\n\n${textOf(shown)}`);
      for (const name of strange) process.stderr.write(`${name} is set and means nothing to any verb\n`);
    });
  return new Command("config").description("check the settings of portolan.yaml and the environment").addCommand(check);
}
