import { type Setting, valueFrom } from "./settings.js";

/** Where a value of a file stands. */
export interface Place {
  readonly path: string; // of the file
  readonly line: number; // 1-based
  readonly column: number;
}

/** What one key of a section says: its texts (one, unless a list) or whether a switch is on. */
export interface Entry {
  readonly place: Place;
  readonly said: boolean | readonly string[];
}

export interface ConfigFile {
  readonly path: string;
  /** Section -> key -> entry; sections are verbs, or `common`. */
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, Entry>>;
}

/** One thing wrong with the settings; `message` is one line that names the place, the value and what was wanted. */
export interface ConfigProblem {
  readonly message: string;
}

export const formatPlace = ({ path, line, column }: Place) => `${path}:${line}:${column}`;

/** Why the verb's own parser refuses the value; `undefined` when it takes it. */
export function refusal(setting: Setting, said: Entry["said"]): string | undefined {
  if (typeof said === "boolean") return undefined;
  try {
    valueFrom(setting, said);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
