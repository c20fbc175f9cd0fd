import { readFileSync } from "node:fs";

const manifest = new URL("../../package.json", import.meta.url);

/** Portolan's own version, as package.json has it. */
export const VERSION: string = (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
