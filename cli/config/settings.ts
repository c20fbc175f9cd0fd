import type { Command, Option } from "commander";

export const CONFIG_FLAGS = "--config <file>";

/** A verb as the user types it after `portolan`, such as "run" or "config check"; also the name of its section. */
export interface Verb {
  readonly path: string;
  readonly command: Command;
}

/** The settings of all verbs under one name, as far as they have it. */
export const COMMON = "common";

/** An option of a verb, as file and environment may set it. */
export interface Setting {
  readonly key: string; // in portolan.yaml: the long option without dashes in front, and without "no-"
  readonly variable: string; // in the environment
  readonly kind: "switch" | "text" | "list";
  readonly option: Option;
}

/** The verbs that do something, in the order of the help, without those that look at settings and have none themselves. */
export function verbsOf(program: Command): Verb[] {
  const walk = (command: Command, path: string): Verb[] =>
    command.commands.length === 0
      ? [{ path, command }]
      : command.commands.flatMap((child) => walk(child, path === "" ? child.name() : `${path} ${child.name()}`));
  return walk(program, "").filter(({ path }) => !path.startsWith("config "));
}

const FLAG_ONLY = new WeakSet<Option>();

/** Marks what must be said anew each time, such as consent to something: neither file nor environment can set it. */
export function flagOnly(option: Option): Option {
  FLAG_ONLY.add(option);
  return option;
}

/** `<a[,b]>`: one text with commas is several values, so that a file may list them. */
function takesCommas({ flags }: Option): boolean {
  return /<[^>]*,[^>]*>/.test(flags);
}

function kindOf(option: Option): Setting["kind"] {
  if (option.variadic || Array.isArray(option.defaultValue) || takesCommas(option)) return "list";
  return option.required || option.optional ? "text" : "switch";
}

/** What file and environment may set of a verb, in the order of its help. */
export function settingsOf({ command }: Verb): Setting[] {
  const settings = new Map<string, Setting>();
  for (const option of command.options) {
    if (FLAG_ONLY.has(option) || option.flags === CONFIG_FLAGS || option.long === undefined) continue;
    const key = option.name().replace(/^no-/, "");
    if (settings.has(key)) continue; // --x beside --no-x
    const variable = `PORTOLAN_${key.toUpperCase().replaceAll("-", "_")}`;
    settings.set(key, { key, variable, kind: kindOf(option), option });
  }
  return [...settings.values()];
}

/** The value that one text, or several for a list, gives. @throws {InvalidArgumentError} As the verb's own parser says. */
export function valueFrom({ kind, option }: Setting, texts: readonly string[]): unknown {
  if (takesCommas(option) && !option.variadic) return parsed(option, texts.join(","), undefined);
  if (kind === "text") return parsed(option, texts[0] ?? "", undefined);
  let value: unknown = Array.isArray(option.defaultValue) ? [] : undefined;
  for (const text of texts) {
    value =
      option.parseArg === undefined ? [...((value as string[] | undefined) ?? []), text] : parsed(option, text, value);
  }
  return value;
}

function parsed(option: Option, text: string, previous: unknown): unknown {
  return option.parseArg === undefined ? text : option.parseArg(text, previous);
}

/** The default as text, as the help shows it; `undefined` where there is none. */
export function defaultText({ option }: Setting): string | undefined {
  const { defaultValue, defaultValueDescription } = option;
  if (defaultValueDescription !== undefined) return defaultValueDescription;
  if (defaultValue === undefined) return undefined;
  if (Array.isArray(defaultValue)) return defaultValue.length === 0 ? undefined : defaultValue.join(",");
  return typeof defaultValue === "object" ? JSON.stringify(defaultValue) : String(defaultValue);
}
