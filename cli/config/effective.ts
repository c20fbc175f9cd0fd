import { type ConfigFile, type ConfigProblem, type Entry, type Place, refusal } from "./config-file.js";
import { COMMON, defaultText, type Setting, settingsOf, type Verb, valueFrom } from "./settings.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a setting has its value from, the strongest first: a flag beats the environment, that the file, that the default. */
export type Origin =
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "file"; readonly place: Place }
  | { readonly kind: "default" };

export interface Effective {
  readonly setting: Setting;
  readonly value: unknown; // as the verb's parser gives it
  readonly text: string | undefined; // as it was written; `undefined` when nothing says a value
  readonly origin: Origin;
}

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/** An empty variable says nothing: `PORTOLAN_STORE= portolan run` is how one unsets it. */
function saidInEnvironment(setting: Setting, text: string): Entry["said"] | undefined {
  if (setting.kind === "switch") return SWITCH_WORDS.get(text.toLowerCase());
  return setting.option.variadic ? text.split(",").map((part) => part.trim()) : [text];
}

function taken(setting: Setting, said: Entry["said"], origin: Origin): Effective {
  const value = typeof said === "boolean" ? said : valueFrom(setting, said);
  return { setting, value, text: typeof said === "boolean" ? String(said) : said.join(","), origin };
}

/** A variable that cannot be used, and whose it is: a flag makes it not matter. */
export interface VariableProblem extends ConfigProblem {
  readonly setting: Setting;
}

/** What a verb runs with when no flag is given. */
export function effectiveSettings(verb: Verb, file: ConfigFile | undefined, environment: Environment) {
  const problems: VariableProblem[] = [];
  const settings = settingsOf(verb).map((setting): Effective => {
    const { key, variable, option } = setting;
    const text = environment[variable];
    if (text !== undefined && text !== "") {
      const said = saidInEnvironment(setting, text);
      const why = said === undefined ? "wanted true or false" : refusal(setting, said);
      if (said !== undefined && why === undefined) return taken(setting, said, { kind: "environment", variable });
      problems.push({ setting, message: `Cannot read ${variable} ${JSON.stringify(text)}: ${why}` });
    }
    const entry = file?.sections.get(verb.path)?.get(key) ?? file?.sections.get(COMMON)?.get(key);
    if (entry !== undefined) return taken(setting, entry.said, { kind: "file", place: entry.place });
    return { setting, value: option.defaultValue, text: defaultText(setting), origin: { kind: "default" } };
  });
  return { settings, problems };
}
