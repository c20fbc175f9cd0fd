import { createRequire } from "node:module";
import type * as Api from "@duckdb/node-api";
import type Bindings from "@duckdb/node-bindings";

// By `require`, as Node reads a CommonJS file twice to import names from it, and in one file, which scripts/compile.mjs makes
// of the package: its 120 took a quarter of a second of every start.
const require = createRequire(import.meta.url);
const api = require("./duckdb-api.cjs") as typeof Api;

/** The calls below the API, which copy memory rather than values. */
export const bindings = require("@duckdb/node-bindings") as typeof Bindings;

export const { BIGINT, DOUBLE, DuckDBDataChunk, DuckDBInstance, LIST, listValue } = api;
export const { UBIGINT, UINTEGER, USMALLINT, UTINYINT } = api;
