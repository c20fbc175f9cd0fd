// Brings a fresh clone to the point where something can run: the right Node, the packages of package-lock.json, the build.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Ends the process with one line that says what is missing. */
export function fail(text, exitCode = 3) {
  say(text);
  process.exit(exitCode);
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Cannot run on Node ${process.versions.node}: Portolan wants Node 20.19 or newer`);
  }
}

function installPackages(optional) {
  const marker = join(root, "node_modules/.package-lock.json");
  const lock = join(root, "package-lock.json");
  const isFresh = existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs;
  const isThere = (name) => existsSync(join(root, "node_modules", name));
  // npm passes over an optional package that cannot be compiled, and tries again only when asked from the start.
  if (isFresh && optional.every(isThere)) return;
  say("installing the npm packages of package-lock.json (npm ci)");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) fail("Cannot install the npm packages: npm's complaint is above; is a package registry reachable?");
  const missing = optional.filter((name) => !isThere(name));
  if (missing.length > 0) fail(`Cannot install ${missing.join(", ")}: wanted a compiler and the headers of libpcap`);
}

/** `optional`: packages that npm may leave out, and that the caller cannot do without. */
export function prepare(optional = []) {
  requireNode();
  installPackages(optional);
  const { status } = spawnSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
