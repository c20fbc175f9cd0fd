// Compiles the TypeScript rooms into dist/, one file for each source: node scripts/compile.mjs ROOM ...
// Numbers that one module imports from another are written into their places. V8 loads an imported constant from memory each
// time it is named, which took a tenth of the time of reading a capture. Types are checked by `npm run typecheck`, not here.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const filesIn = (folder, ending) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending) && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));

const bundle = await rolldown({
  cwd: root,
  input: process.argv.slice(2).flatMap((room) => filesIn(join(root, room), ".ts")),
  platform: "node",
  external: /^[^./\0]/, // packages stay where they are installed
  resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  optimization: { inlineConst: { mode: "all", pass: 2 } },
  treeshake: false,
  logLevel: "warn",
});
const { output } = await bundle.write({
  dir: dist,
  format: "esm",
  preserveModules: true,
  preserveModulesRoot: root,
  entryFileNames: "[name].js",
  sourcemap: true,
});
await bundle.close();

// DuckDB's API comes as 120 small files, and to find and read them took a tenth of a second of every start.
const duckdb = await rolldown({
  cwd: root,
  input: { "analyzer/store/duckdb-api": "@duckdb/node-api" },
  platform: "node",
  external: "@duckdb/node-bindings",
});
await duckdb.write({ dir: dist, format: "cjs", entryFileNames: "[name].cjs" });
await duckdb.close();

// What was compiled from a source that is gone would still be found, and run as a test.
const written = new Set(output.map(({ fileName }) => join(dist, fileName)));
for (const file of filesIn(dist, ".js")) if (!written.has(file)) rmSync(file);
