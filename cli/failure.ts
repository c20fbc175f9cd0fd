import type { StoreErrorCode } from "../analyzer/store/store-error.js";
import type { LiveCaptureErrorCode } from "../collector/live/live-capture-error.js";
import type { SpoolErrorCode } from "../collector/spool/spool-error.js";
import type { EnforcerErrorCode } from "../enforcer/enforcer-error.js";
import type { StreamErrorCode } from "../stream/stream-error.js";

/** What a script reads of us: 0 done, 1 the answer is "no", 2 bad input or usage, 3 the environment. */
export const EXIT = { done: 0, no: 1, input: 2, environment: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure whose message is the one line the user gets. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: ExitCode,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "Failure";
  }
}

/** Codes of the system for which the environment has to answer and not the input. */
const SYSTEM_CODES = new Set(["EACCES", "EPERM", "EADDRINUSE", "EADDRNOTAVAIL", "ENOSPC", "EROFS", "EMFILE", "EIO"]);

/** The same of our own rooms. */
const ROOM_CODES = new Set<string>([
  ...(["permission", "no-interface", "no-program", "failed"] satisfies LiveCaptureErrorCode[]),
  ...(["in-use", "failed"] satisfies SpoolErrorCode[]),
  ...(["unreachable", "refused", "failed", "closed"] satisfies StreamErrorCode[]),
  ...(["in-use", "disk-full", "permission", "failed"] satisfies StoreErrorCode[]),
  ...(["permission", "no-nft", "rejected", "unreadable-listing"] satisfies EnforcerErrorCode[]),
  ...(["second-enforcer", "lease-not-kept", "timeout"] satisfies EnforcerErrorCode[]),
]);

/** The exit code that fits an error from any room: its `code` decides, or the system's behind it; bad input is the default. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Failure) return error.exitCode;
  return ROOM_CODES.has(codeOf(error)) || isOfSystem(error) ? EXIT.environment : EXIT.input;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && (SYSTEM_CODES.has(codeOf(error)) || isOfSystem(error.cause));
}

/** Whether the error was made for the user to read, rather than by a fault of ours. */
export function isExpected(error: unknown): boolean {
  return error instanceof Failure || error instanceof SyntaxError || (error instanceof Error && "code" in error);
}

function shown(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** A file of quite another kind has thousands of things wrong, and the first ones tell as much. */
const MOST_LINES = 20;

/** One line for each thing that is wrong; control characters of hostile input are shown, not obeyed. */
export function failureLines(error: unknown): string[] {
  if (error instanceof Error && "problems" in error && Array.isArray(error.problems)) {
    const lines = error.problems
      .slice(0, MOST_LINES)
      .map(({ message }: { message: unknown }) => shown(String(message)));
    const more = error.problems.length - lines.length;
    return more > 0 ? [...lines, `and ${more.toLocaleString("en")} more like these`] : lines;
  }
  return [shown(error instanceof Error ? error.message : String(error))];
}
