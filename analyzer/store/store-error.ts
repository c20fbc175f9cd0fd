/**
 * - `in-use`: another process has the database file. `newer-version`: a later Portolan wrote it. `not-a-store`: it is some
 *   other file. `disk-full`: nothing more can be written, what was written stays. `permission`: the system forbids it.
 *   `conflict`: what is asked contradicts what is there. `io`: it cannot be opened, read or written for another reason.
 *   `failed`: anything else that the database refused.
 */
export type StoreErrorCode =
  | "in-use"
  | "newer-version"
  | "not-a-store"
  | "disk-full"
  | "permission"
  | "conflict"
  | "io"
  | "failed";

/** What the store could not do; the message is one line. */
export class StoreError extends Error {
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "StoreError";
  }

  /** Whether the same call may succeed later without anybody changing its input. */
  get isRetryUseful(): boolean {
    return this.code === "in-use" || this.code === "disk-full" || this.code === "io";
  }
}

const CAUSES: readonly (readonly [RegExp, StoreErrorCode, string])[] = [
  [/Conflicting lock is held|being used by another process/i, "in-use", "wanted a file that no other process has open"],
  [
    /No space left on device|ENOSPC|disk full|not enough (disk )?space|Could not write all bytes|File size limit/i,
    "disk-full",
    "wanted free space on its disk; what was stored before is kept",
  ],
  [
    /newer version of DuckDB|trying to read a database file with version number/i,
    "newer-version",
    "wanted a file that this version of Portolan can read: update Portolan",
  ],
  [/not a valid DuckDB database file/i, "not-a-store", "wanted a database that Portolan wrote, or no file yet"],
  [/Permission denied|read-only/i, "permission", "wanted a file and a folder that this user may read and write"],
  [/Cannot open file|No such file|Is a directory/i, "io", "wanted a file that can be read and written"],
];

/** Translates what DuckDB threw; `action` begins the line, e.g. `open`. */
export function storeErrorOf(action: string, path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  for (const [pattern, code, wanted] of CAUSES) {
    if (pattern.test(text)) return new StoreError(code, `Cannot ${action} store "${path}": ${wanted}`, { cause });
  }
  const [first = "unknown failure"] = text.split("\n");
  return new StoreError("failed", `Cannot ${action} store "${path}": ${first}`, { cause });
}
