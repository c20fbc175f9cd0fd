import type { Command } from "commander";

export interface AuditFileOptions {
  readonly keyring?: string;
  readonly accepted?: string;
}

/** What reports about enforcement rest on beside the store. */
export function addAuditOptions(command: Command): Command {
  return command
    .option("--keyring <file>", "the keys that enforcers trust, to check who approved; unchecked without")
    .option("--accepted <file>", "traffic that people agreed to deny, see docs/report.md");
}
