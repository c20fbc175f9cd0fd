/** Where in a file something stands; line and column count from 1. */
export interface Position {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

export function formatPosition({ path, line, column }: Position): string {
  return `${path}:${line}:${column}`;
}

/** One fault in a manifest, on one line: `policies.yaml:12:5: Cannot read field "podSelectr": wanted ...`. */
export class ManifestError extends SyntaxError {
  override readonly name = "ManifestError";

  constructor(
    readonly position: Position,
    readonly complaint: string,
  ) {
    super(`${formatPosition(position)}: ${complaint}`);
  }
}

/** All faults that were found in a set of files, one to a line, in the order of the files. */
export class ManifestErrors extends SyntaxError {
  override readonly name = "ManifestErrors";

  constructor(readonly problems: readonly ManifestError[]) {
    super(problems.map((problem) => problem.message).join("\n"));
  }
}

/**
 * Runs each task and gathers what they return. Every fault is found before any is told.
 * @throws {ManifestErrors} If at least one task threw a ManifestError or several; other errors go through at once.
 */
export function gatherFaults<T>(tasks: Iterable<() => T>): T[] {
  const results: T[] = [];
  const errors: ManifestError[] = [];
  for (const task of tasks) {
    try {
      results.push(task());
    } catch (error) {
      if (error instanceof ManifestError) errors.push(error);
      else if (error instanceof ManifestErrors) errors.push(...error.problems);
      else throw error;
    }
  }
  if (errors.length > 0) throw new ManifestErrors(errors);
  return results;
}
