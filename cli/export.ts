import { EXIT } from "./failure.js";
import { lossLines } from "./loss-lines.js";
import { readInventory } from "./read-inventory.js";
import { readPolicy } from "./read-policy.js";
import { modeNamed, targetNamed } from "./target-option.js";
import type { ExportOptions } from "./verbs/export.js";
import { writeFiles } from "./write-files.js";

export function exportPolicy(options: ExportOptions): void {
  const target = targetNamed(options.target);
  const mode = modeNamed(options.mode, target);
  const { files, losses } = target.render(readPolicy(options.policy), readInventory(options.inventory), {
    mode,
    ...(options.acceptWidenings ? { acceptWidenings: true } : {}),
  });
  writeFiles(options.out, files);
  const refused = losses.filter((loss) => loss.isRefused === true);
  if (options.json) {
    const report = { target: options.target, mode, files: files.map((file) => file.path), losses };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else {
    const lines = [`${files.length} files for ${target.title} in mode ${mode}, written to ${options.out}`];
    if (losses.length > 0) lines.push("What they do not say as the policy does:", ...lossLines(losses));
    if (refused.length > 0) lines.push(`${refused.length} rules were refused; --accept-widenings writes them.`);
    process.stdout.write(`${lines.join("\n")}\n`);
  }
  if (refused.length > 0) process.exitCode = EXIT.no;
}
