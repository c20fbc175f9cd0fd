import { Command } from "commander";
import { CONFIG_PATHS } from "../config/find-config.js";
import { COMMON, verbsOf } from "../config/settings.js";
import { EXIT, Failure } from "../failure.js";

export interface CheckOptions {
  readonly json?: true;
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
    .action(async (named: string | undefined, options: CheckOptions) => {
      const root = check.parent?.parent;
      if (root === null || root === undefined) throw new Failure("Cannot check settings: no verbs", EXIT.input);
      await (await import("../config/check-settings.js")).checkSettings(verbsOf(root), named, options);
    });
  return new Command("config").description("check the settings of portolan.yaml and the environment").addCommand(check);
}
