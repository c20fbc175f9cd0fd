import { readFileSync } from "node:fs";
import { EXIT, Failure } from "./failure.js";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};

/** The text of a file that the user named. @throws {Failure} One line that says what and why. */
export function readText(what: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const exitCode = code === "EACCES" || code === "EPERM" ? EXIT.environment : EXIT.input;
    throw new Failure(`Cannot read ${what} "${path}": ${REASONS[code] ?? String(error)}`, exitCode, { cause: error });
  }
}
