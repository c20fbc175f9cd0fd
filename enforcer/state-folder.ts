import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/**
 * What an enforcer remembers over restarts. Each file is whole or absent, whenever the machine stops: written beside its
 * place, made durable, moved in. The folder is root's own (0700): what is in it is trusted as the ruleset in the kernel is.
 *
 *     state.json               where each scope stands, what was reached, what was counted
 *     orders/SCOPE.signed      the order in force
 *     confirmed/SCOPE.signed   the last order that held in deny: all that a boot may restore
 *     inventory.yaml           the inventory that was last used
 *     reports/NUMBER.json      verdict reports that nobody took yet
 */
export class StateFolder {
  constructor(readonly path: string) {
    for (const folder of ["", "orders", "confirmed", "reports"]) {
      mkdirSync(join(path, folder), { recursive: true, mode: 0o700 });
    }
  }

  read(name: string): Buffer | undefined {
    try {
      return readFileSync(join(this.path, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  list(folder: string): string[] {
    return readdirSync(join(this.path, folder))
      .filter((name) => !name.endsWith(".part"))
      .sort();
  }

  write(name: string, data: string | Uint8Array): void {
    const path = join(this.path, name);
    const file = openSync(`${path}.part`, "w", 0o600);
    try {
      const bytes = typeof data === "string" ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.part`, path);
    // The move itself is durable only with the folder.
    const folder = openSync(join(path, ".."), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { force: true });
  }
}
