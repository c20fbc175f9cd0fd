import { createRequire } from "node:module";
import type * as Api from "@duckdb/node-api";
import type Bindings from "@duckdb/node-bindings";

// By `require`: to import names from its 120 CommonJS files, Node reads each of them twice, a quarter of a second of every start.
const require = createRequire(import.meta.url);
const api = require("@duckdb/node-api") as typeof Api;

/** The calls below the API, which copy memory rather than values. */
export const bindings = require("@duckdb/node-bindings") as typeof Bindings;

export const { BIGINT, DOUBLE, DuckDBDataChunk, DuckDBInstance, LIST, listValue } = api;
export const { UBIGINT, UINTEGER, USMALLINT, UTINYINT } = api;
