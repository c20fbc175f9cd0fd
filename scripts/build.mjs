// Compiles the TypeScript rooms into dist/ and the explorer into web/ui/dist/, each only when a source is newer.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const SKIPPED = new Set(["node_modules", "dist", ".git"]);

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  let latest = 0;
  for (const name of readdirSync(path)) {
    if (!SKIPPED.has(name)) latest = Math.max(latest, newest(join(path, name)));
  }
  return latest;
}

function isFresh(output, inputs) {
  if (!existsSync(join(root, output))) return false;
  const built = statSync(join(root, output)).mtimeMs;
  return inputs.every((input) => !existsSync(join(root, input)) || newest(join(root, input)) <= built);
}

function run(what, script, args) {
  process.stderr.write(`building ${what}\n`);
  const { status } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) {
    process.stderr.write(`Cannot build ${what}: the compiler's complaint is above\n`);
    process.exit(1);
  }
}

const ROOMS = [
  "model",
  "policy",
  "stream",
  "collector",
  "analyzer",
  "enforcer",
  "web/api",
  "web/layout",
  "cli",
  "test",
  "bench",
];
const STAMP = "dist/.built";
if (!isFresh(STAMP, [...ROOMS, "scripts/compile.mjs", "package.json"])) {
  run("dist/", join(root, "scripts/compile.mjs"), ROOMS);
  writeFileSync(join(root, STAMP), "");
}
if (
  existsSync(join(root, "web/ui/vite.config.js")) &&
  !isFresh("web/ui/dist/index.html", ["web/ui", "web/layout", "model", "web/api", "package.json"])
) {
  run("web/ui/dist/", join(root, "node_modules/vite/bin/vite.js"), ["build", "web/ui", "--logLevel", "warn"]);
}
