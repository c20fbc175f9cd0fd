import { exitCodeOf, failureLines } from "./failure.js";

/** Prints the error of each capture that could not be read to its end, and lets the first decide the exit code. */
export function reportCaptureErrors(errors: readonly Error[]): void {
  for (const error of errors) {
    for (const line of failureLines(error)) process.stderr.write(`${line}\n`);
  }
  const [first] = errors;
  if (first !== undefined) process.exitCode = exitCodeOf(first);
}
