import type { Analyzer, AuditOptions } from "../analyzer/analyzer.js";
import { parseAcceptedDenials } from "../analyzer/audit/accepted-denials.js";
import type { AuditFileOptions } from "./audit-option.js";
import { followFile } from "./follow-file.js";
import { readText } from "./read-text.js";
import { readKeyring } from "./trust-files.js";

export async function readAuditFiles({ keyring, accepted }: AuditFileOptions): Promise<AuditOptions> {
  return {
    keyring: keyring === undefined ? undefined : await readKeyring(keyring),
    accepted: accepted === undefined ? [] : parseAcceptedDenials(readText("accepted denials", accepted), accepted),
  };
}

/** Takes over decisions and keys as they are saved; a faulty file is told, and what it said before stays. */
export function followAuditFiles(
  options: AuditFileOptions,
  analyzer: Analyzer,
  say: (line: string) => void,
): () => void {
  const files = [options.keyring, options.accepted].filter((path) => path !== undefined);
  const unfollow = files.map((path) =>
    followFile(path, say, async () => {
      analyzer.setAudit(await readAuditFiles(options));
      say(`"${path}" taken over`);
    }),
  );
  return () => unfollow.forEach((stop) => stop());
}
