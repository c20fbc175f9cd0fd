import type { Command } from "commander";
import type { AuditOptions } from "../analyzer/analyzer.js";
import { parseAcceptedDenials } from "../analyzer/audit/accepted-denials.js";
import { readText } from "./read-text.js";
import { readKeyring } from "./trust-files.js";

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

export async function readAuditFiles({ keyring, accepted }: AuditFileOptions): Promise<AuditOptions> {
  return {
    keyring: keyring === undefined ? undefined : await readKeyring(keyring),
    accepted: accepted === undefined ? [] : parseAcceptedDenials(readText("accepted denials", accepted), accepted),
  };
}
