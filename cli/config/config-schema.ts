import { hostname } from "node:os";
import type { Command } from "commander";
import { COMMON, defaultText, type Setting, settingsOf, verbsOf } from "./settings.js";

function schemaOf(setting: Setting): object {
  const { option, kind } = setting;
  const text = defaultText(setting);
  const fallback = text === hostname() ? undefined : text; // a default that is another on each host is not published
  const described = {
    description: `${option.description} (${setting.variable})`,
    ...(fallback === undefined ? {} : { default: kind === "switch" ? fallback === "true" : fallback }),
  };
  if (kind === "switch") return { type: "boolean", ...described };
  const one = option.argChoices === undefined ? { type: ["string", "number"] } : { enum: option.argChoices };
  return kind === "list" ? { anyOf: [one, { type: "array", items: one }], ...described } : { ...one, ...described };
}

const section = (description: string, properties: object) => ({
  type: ["object", "null"],
  description,
  properties,
  additionalProperties: false,
});

/** JSON Schema (draft 2020-12) of portolan.yaml, made from the options of the verbs; published under docs/schemas. */
export function configJsonSchema(program: Command): object {
  const sections: Record<string, object> = {};
  const common = new Map<string, object[]>();
  for (const verb of verbsOf(program)) {
    const settings = settingsOf(verb);
    if (settings.length === 0) continue;
    const properties = Object.fromEntries(settings.map((setting) => [setting.key, schemaOf(setting)]));
    sections[verb.path] = section(`portolan ${verb.path}: ${verb.command.description()}`, properties);
    for (const [key, schema] of Object.entries(properties)) common.set(key, [...(common.get(key) ?? []), schema]);
  }
  // What one name means differs by verb only in its words: a common value has to suit every verb that has it.
  const shared = [...common].map(([key, schemas]) => [key, schemas.length === 1 ? schemas[0] : { allOf: schemas }]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Portolan portolan.yaml",
    description: "Settings of the verbs: a section for each, and one for what they have in common.",
    type: ["object", "null"],
    properties: {
      [COMMON]: section("Given to every verb that has the option.", Object.fromEntries(shared)),
      ...sections,
    },
    additionalProperties: false,
  };
}
