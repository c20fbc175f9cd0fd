// Holds every import against the table of ARCHITECTURE.md: which room may import which. Prints each line that breaks it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Room -> rooms it may import besides itself. The longest prefix names the room of a file. */
const ALLOWED = {
  model: [],
  policy: ["model"],
  stream: ["model"],
  collector: ["model", "stream"],
  analyzer: ["model", "policy", "stream"],
  enforcer: ["model", "policy", "stream"],
  "web/layout": ["model"],
  "web/api": ["model", "policy", "analyzer", "web/layout"],
  "web/ui": ["model", "web/api", "web/layout"],
  cli: ["model", "policy", "stream", "collector", "analyzer", "enforcer", "web/api", "web/layout"],
  bench: ["*"],
  test: ["*"],
};

/** Packages that only one file or room may know, so that replacing them stays a day's work. */
const KEEPERS = {
  kafkajs: ["stream/kafka/kafka-client.ts", "test/stream/"],
  "@duckdb/node-api": ["analyzer/store/", "test/", "bench/"],
  "@duckdb/node-bindings": ["analyzer/store/", "test/", "bench/"],
  fastify: ["web/api/", "test/"],
  preact: ["web/ui/"],
  "prom-client": ["cli/metrics/"],
  "node:fs": ["!policy/", "!model/"],
  "node:child_process": ["!policy/", "!model/"],
};

const IMPORT =
  /(?:^|[^.\w])(?:import|export)\s(?:[^"';]*?\sfrom\s*)?["']([^"']+)["']|(?:^|[^.\w])import\(\s*["']([^"']+)["']\s*\)/g;

/** An import whose target only shows when it runs cannot be held against anything, so there is none. */
const UNREADABLE = /(?:^|[^.\w])import\(\s*(?!["'\s])/g;

function roomOf(path) {
  return Object.keys(ALLOWED)
    .filter((room) => path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (["node_modules", "dist", "fixtures"].includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(ts|tsx|mts|mjs|js)$/.test(entry.name)) yield path;
  }
}

function keeps(path, keepers) {
  const banned = keepers.filter((keeper) => keeper.startsWith("!"));
  if (banned.length > 0) return !banned.some((keeper) => path.startsWith(keeper.slice(1)));
  return keepers.some((keeper) => path.startsWith(keeper));
}

const faults = [];
let count = 0;
for (const room of Object.keys(ALLOWED)) {
  if (!existsSync(join(root, room))) continue;
  for (const file of sources(join(root, room))) {
    const path = posix.normalize(relative(root, file).replaceAll("\\", "/"));
    if (roomOf(path) !== room) continue;
    const text = readFileSync(file, "utf8");
    const lineAt = (offset) => text.slice(0, offset).split("\n").length;
    for (const match of text.matchAll(UNREADABLE)) {
      faults.push(`${path}:${lineAt(match.index + match[0].length)}: import() wants its target as a plain text`);
    }
    for (const match of text.matchAll(IMPORT)) {
      count++;
      const target = match[1] ?? match[2];
      const line = lineAt(match.index + match[0].length);
      if (target.startsWith(".")) {
        const wanted = roomOf(posix.normalize(relative(root, resolve(dirname(file), target)).replaceAll("\\", "/")));
        if (wanted === undefined || wanted === room) continue;
        if (!ALLOWED[room].includes("*") && !ALLOWED[room].includes(wanted)) {
          faults.push(`${path}:${line}: ${room}/ may not import ${wanted}/ ("${target}")`);
        }
      } else {
        const keepers = Object.entries(KEEPERS).find(([name]) => target === name || target.startsWith(`${name}/`))?.[1];
        if (keepers !== undefined && !keeps(path, keepers)) {
          faults.push(`${path}:${line}: "${target}" is kept to ${keepers.join(", ")}`);
        }
      }
    }
  }
}
for (const fault of faults) console.error(fault);
console.error(`imports: ${count} checked, ${faults.length} against the table of ARCHITECTURE.md`);
process.exit(faults.length === 0 ? 0 : 1);
