// Formatting and lint rules (Biome), unused files, exports and dependencies (Knip), and the import table.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const CHECKS = [
  ["formatting and rules", "node_modules/@biomejs/biome/bin/biome", ["check", "--error-on-warnings", "."]],
  ["unused code and dependencies", "node_modules/knip/bin/knip.js", ["--no-progress"]],
  ["imports between rooms", "scripts/check-imports.mjs", []],
];

let failed = 0;
for (const [what, script, args] of CHECKS) {
  console.error(`lint: ${what}`);
  const { status } = spawnSync(process.execPath, [root + script, ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
