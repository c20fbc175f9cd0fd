import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { MAX_ENVELOPE_BYTES } from "../policy/trust/envelope.js";
import { type Keyring, parseKeyring } from "../policy/trust/keyring.js";
import { parseSigningKey, type SigningKey } from "../policy/trust/signing-key.js";
import { TrustError } from "../policy/trust/trust-error.js";
import { EXIT, Failure } from "./failure.js";
import { readText } from "./read-text.js";

export async function readKeyring(path: string): Promise<Keyring> {
  const text = readText("keyring", path);
  try {
    return await parseKeyring(text);
  } catch (error) {
    throw inFile(path, error);
  }
}

/** @throws {Failure} If anybody but its owner may read it, or it is no key; its content is never shown. */
export async function readSigningKey(path: string): Promise<SigningKey> {
  const text = readText("signing key", path);
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new Failure(
      `Cannot use signing key "${path}": others may read it (mode ${mode.toString(8).padStart(4, "0")}), wanted 0600`,
      EXIT.environment,
    );
  }
  try {
    return await parseSigningKey(text);
  } catch (error) {
    throw inFile(path, error);
  }
}

/** The bytes of a signed document. A file too large to be one is not read. */
export function readSigned(path: string): Uint8Array {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_ENVELOPE_BYTES) {
    throw new TrustError(
      "too-large",
      `Cannot read signed document "${path}" of ${size} bytes: wanted at most ${MAX_ENVELOPE_BYTES}`,
    );
  }
  return Buffer.from(readText("signed document", path));
}

/** Writes a file that only its owner can read, and never over one that is there. */
export function writePrivateFile(path: string, text: string): void {
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    const reason = isThere ? "it is there already, and a key is never overwritten" : (error as Error).message;
    throw new Failure(`Cannot write signing key "${path}": ${reason}`, isThere ? EXIT.input : EXIT.environment);
  }
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The keyring of a file that may not be there yet. */
export async function readKeyringIfAny(path: string): Promise<Keyring | undefined> {
  try {
    readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  }
  return readKeyring(path);
}

function inFile(path: string, error: unknown): unknown {
  if (!(error instanceof TrustError)) return error;
  return new TrustError(error.code, `${path}: ${error.message}`, { cause: error });
}
