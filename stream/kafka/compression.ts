import { createRequire } from "node:module";
import zlib from "node:zlib";
import type { Compression } from "./compression-names.js";
import { readLz4Frame, TooLarge } from "./lz4-frame.js";

const require = createRequire(import.meta.url);

/** Kafka's numbers for codecs, in the lowest three bits of a record batch's attributes. */
export const CODEC_NUMBERS: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, lz4: 3, zstd: 4 };
const SNAPPY = 2;

/** Why compressed bytes could not be read; `code` says it to the dead-letter topic. */
export class CompressionError extends Error {
  constructor(
    readonly code: "unknown-compression" | "corrupt-compression" | "too-large-inside",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "CompressionError";
  }
}

interface Zstd {
  zstdCompressSync(bytes: Uint8Array): Buffer;
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer;
}

/** Node's own from 22.15 on. */
const zstd: Zstd | undefined = "zstdCompressSync" in zlib ? (zlib as unknown as Zstd) : undefined;

interface Lz4 {
  compressFrameSync(bytes: Buffer): Buffer;
}

/** The native codec, or nothing on a platform it has no binary for. */
const lz4: Lz4 | undefined = (() => {
  try {
    return require("lz4-napi") as Lz4;
  } catch {
    return undefined;
  }
})();

/** What this process can write, best first: what was wished for, else gzip, which every Node has. */
export function writableCompression(wanted: Compression): Compression {
  if (wanted === "lz4" && lz4 === undefined) return "gzip";
  if (wanted === "zstd" && zstd === undefined) return lz4 === undefined ? "gzip" : "lz4";
  return wanted;
}

export function compress(compression: Compression, bytes: Buffer): Buffer {
  if (compression === "lz4" && lz4 !== undefined) return lz4.compressFrameSync(bytes);
  if (compression === "zstd" && zstd !== undefined) return zstd.zstdCompressSync(bytes);
  if (compression === "gzip") return zlib.gzipSync(bytes, { level: 3 });
  throw new Error(`Cannot compress with ${compression}: this Node has no such codec`);
}

function isTooLarge(error: unknown): boolean {
  return error instanceof TooLarge || (error instanceof RangeError && "code" in error);
}

/**
 * Reads what a record batch's codec wrote, into at most `most` bytes. Snappy is not read: none of ours writes it.
 * @throws {CompressionError}
 */
export function decompress(codec: number, bytes: Uint8Array, most: number): Uint8Array {
  try {
    if (codec === CODEC_NUMBERS.lz4) return readLz4Frame(bytes, most);
    if (codec === CODEC_NUMBERS.gzip) return zlib.gunzipSync(bytes, { maxOutputLength: most });
    if (codec === CODEC_NUMBERS.zstd && zstd !== undefined) {
      return zstd.zstdDecompressSync(bytes, { maxOutputLength: most });
    }
  } catch (cause) {
    if (isTooLarge(cause)) {
      const what = `Cannot decompress ${bytes.length} bytes: more than ${most} come out`;
      throw new CompressionError("too-large-inside", what, { cause });
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CompressionError("corrupt-compression", `Cannot decompress ${bytes.length} bytes: ${why}`, { cause });
  }
  const name = { [SNAPPY]: "snappy", [CODEC_NUMBERS.zstd]: "zstd" }[codec] ?? `codec ${codec}`;
  throw new CompressionError("unknown-compression", `Cannot decompress ${name}: this Portolan reads lz4 and gzip`);
}
