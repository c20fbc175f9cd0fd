// Builds the explorer from nothing and holds the result against its promises: one page, own assets only, a small first load.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./prepare.mjs";

const FIRST_LOAD_LIMIT_KB = 120;
const dist = join(root, "web/ui/dist");
rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: "inherit" });
if (status !== 0 || !existsSync(join(dist, "index.html"))) {
  console.error("Cannot build the explorer: web/ui/dist/index.html is missing");
  process.exit(1);
}

const faults = [];
const page = readFileSync(join(dist, "index.html"), "utf8");
for (const [, url] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
  if (/^(?:[a-z]+:)?\/\//i.test(url)) faults.push(`index.html loads "${url}" from another origin`);
}
if (/<script(?![^>]*\bsrc=)[^>]*>/.test(page)) faults.push("index.html has a script of its own, which the CSP forbids");
const first = [...page.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map(([, url]) => join(dist, url));
const kilobytes = first.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0) / 1024;
if (kilobytes > FIRST_LOAD_LIMIT_KB) faults.push(`first load is ${kilobytes.toFixed(1)} KB of script, gzipped`);
for (const name of readdirSync(dist, { recursive: true })) {
  if (!name.endsWith(".js")) continue;
  if (/\beval\(|new Function\(/.test(readFileSync(join(dist, name), "utf8")))
    faults.push(`${name} evaluates text as code`);
}
for (const fault of faults) console.error(fault);
console.error(`explorer: first load ${kilobytes.toFixed(1)} KB of script gzipped (limit ${FIRST_LOAD_LIMIT_KB})`);
process.exit(faults.length === 0 ? 0 : 1);
