import { ALERT_SECRET_VARIABLE } from "../alert-option.js";
import { KAFKA_PASSWORD_VARIABLE } from "../kafka-option.js";
import type { CheckOptions } from "../verbs/config.js";
import { type ConfigFile, formatPlace } from "./config-file.js";
import { type Effective, type Environment, effectiveSettings } from "./effective.js";
import { ConfigError, findConfig, readConfig } from "./find-config.js";
import { settingsOf, type Verb } from "./settings.js";

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

/** Prints what every verb runs with. @throws {ConfigError} If anything is wrong: one line each. */
export async function checkSettings(
  verbs: readonly Verb[],
  named: string | undefined,
  options: CheckOptions,
): Promise<void> {
  const path = findConfig(named, process.env);
  const file = path === undefined ? undefined : await readConfig(path, verbs);
  const shown = settingsOfAll(verbs, file, process.env);
  const strange = strangers(verbs, process.env);
  if (options.json) return void process.stdout.write(jsonOf(path, shown, strange));
  process.stdout.write(`${path === undefined ? "no settings file" : `${path} is valid`}\n\n${textOf(shown)}`);
  for (const name of strange) process.stderr.write(`${name} is set and means nothing to any verb\n`);
}
