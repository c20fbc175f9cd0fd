import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Two processes that write one spool would mix what is in it, so the folder has one owner, named in this file. */
const FILE = "owner";

/** A process and when it started, since numbers are given again. Undefined for one that is not there. */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return `${pid} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch {
    return undefined;
  }
}

/**
 * Makes this process the owner of `folder`, in place of one that has died. Where the disk is too full to note it, nobody
 * is: a host whose disk is full has to be watched all the same.
 * @returns the process that owns it, if one does, else the way to give it back
 */
export function ownFolder(folder: string): { readonly takenBy: number } | { readonly release: () => void } {
  const path = join(folder, FILE);
  const mine = identityOf(process.pid) ?? `${process.pid} unknown`;
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, mine);
    for (;;) {
      try {
        linkSync(draft, path); // all or nothing, and only where no file is
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const owner = readFileSync(path, "utf8");
      const pid = Number(owner.split(" ")[0]);
      if (owner === mine || identityOf(pid) === owner) return { takenBy: pid };
      unlinkSync(path);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    return { release: () => {} };
  } finally {
    rmSync(draft, { force: true });
  }
}
