import type { AuditOptions } from "../analyzer/analyzer.js";
import { parseAcceptedDenials } from "../analyzer/audit/accepted-denials.js";
import type { AuditFileOptions } from "./audit-option.js";
import { readText } from "./read-text.js";
import { readKeyring } from "./trust-files.js";

export async function readAuditFiles({ keyring, accepted }: AuditFileOptions): Promise<AuditOptions> {
  return {
    keyring: keyring === undefined ? undefined : await readKeyring(keyring),
    accepted: accepted === undefined ? [] : parseAcceptedDenials(readText("accepted denials", accepted), accepted),
  };
}
