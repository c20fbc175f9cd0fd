import { closeSync, openSync, readSync } from "node:fs";
import type { Readable } from "node:stream";
import { constants, createGunzip } from "node:zlib";
import { CaptureError } from "./capture-error.js";

/** Where capture bytes come from. Reading at once (no promise) is what makes plain files fast. */
export interface ByteSource {
  readonly name: string; // for messages
  /** Fills `into` from `at` with up to `length` bytes; resolves to how many, 0 at the end. @throws {CaptureError} */
  read(into: Uint8Array, at: number, length: number): number | Promise<number>;
  close(): void;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "wanted a file that this user may read",
  EISDIR: "it is a folder, wanted a file",
};

function unreadable(name: string, offset: number, cause: unknown): CaptureError {
  const error = cause as Partial<NodeJS.ErrnoException>;
  const reason = REASONS[error.code ?? ""] ?? error.message ?? String(cause);
  return new CaptureError("unreadable", name, offset, `Cannot read capture "${name}": ${reason}`, { cause });
}

class FileSource implements ByteSource {
  private position = 0;

  constructor(
    readonly name: string,
    private readonly descriptor: number,
  ) {}

  read(into: Uint8Array, at: number, length: number): number {
    try {
      const count = readSync(this.descriptor, into, at, length, null);
      this.position += count;
      return count;
    } catch (cause) {
      throw unreadable(this.name, this.position, cause);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** Any Node stream of bytes: standard input, a child's output, an unpacked file. */
export class StreamSource implements ByteSource {
  private readonly iterator: AsyncIterator<Uint8Array>;
  private pending: Uint8Array | undefined;
  private position = 0;

  constructor(
    readonly name: string,
    private readonly stream: Readable,
  ) {
    this.iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  async read(into: Uint8Array, at: number, length: number): Promise<number> {
    while (this.pending === undefined || this.pending.length === 0) {
      try {
        const next = await this.iterator.next();
        if (next.done === true) return 0;
        this.pending = next.value;
      } catch (cause) {
        throw unreadable(this.name, this.position, cause);
      }
    }
    const count = Math.min(length, this.pending.length);
    into.set(this.pending.subarray(0, count), at);
    this.pending = this.pending.subarray(count);
    this.position += count;
    return count;
  }

  close(): void {
    this.stream.destroy();
  }
}

/** Hands out `head` again, then what `source` still has. */
export function prepend(head: Uint8Array, source: ByteSource): ByteSource {
  let left = head;
  return {
    name: source.name,
    read(into, at, length) {
      if (left.length === 0) return source.read(into, at, length);
      const count = Math.min(length, left.length);
      into.set(left.subarray(0, count), at);
      left = left.subarray(count);
      return count;
    },
    close: () => source.close(),
  };
}

const PACKED_CHUNK = 32 * 1024; // unpacks to 32 MiB at worst, which has to wait in memory

/** A gzip file, unpacked as it is read. A cut-off file is read up to the cut before it fails as `truncated`. */
class GunzipSource implements ByteSource {
  private readonly unpacker = createGunzip({ flush: constants.Z_SYNC_FLUSH, chunkSize: 256 * 1024 });
  private readonly packed = new Uint8Array(PACKED_CHUNK);
  private readonly unpacked: Uint8Array[] = []; // in order
  private position = 0;
  private isPackedDone = false;
  private failure: NodeJS.ErrnoException | undefined;

  constructor(private readonly source: ByteSource) {
    this.unpacker.on("data", (chunk: Uint8Array) => this.unpacked.push(chunk));
    this.unpacker.on("error", (error) => {
      this.failure = error;
    });
  }

  get name(): string {
    return this.source.name;
  }

  async read(into: Uint8Array, at: number, length: number): Promise<number> {
    while (this.unpacked.length === 0) {
      if (this.failure !== undefined) throw this.error(this.failure);
      if (this.isPackedDone) return 0;
      await this.unpackMore();
    }
    const first = this.unpacked[0] as Uint8Array;
    const count = Math.min(length, first.length);
    into.set(first.subarray(0, count), at);
    if (count === first.length) this.unpacked.shift();
    else this.unpacked[0] = first.subarray(count);
    this.position += count;
    return count;
  }

  private async unpackMore(): Promise<void> {
    const { unpacker } = this;
    const count = await this.source.read(this.packed, 0, PACKED_CHUNK);
    await new Promise<void>((resolve) => {
      unpacker.once("close", resolve); // after a failure
      if (count > 0) unpacker.write(this.packed.slice(0, count), () => resolve());
      else {
        this.isPackedDone = true;
        unpacker.once("end", resolve);
        unpacker.end();
      }
    });
  }

  private error(cause: NodeJS.ErrnoException): CaptureError {
    const { name, position } = this;
    const isCut = cause.code === "Z_BUF_ERROR";
    const what = isCut
      ? "the compressed data ends before its end mark"
      : `the compressed data is damaged: ${cause.message}`;
    const message = `Cannot unpack capture "${name}" to its end: ${what}`;
    return new CaptureError(isCut ? "truncated" : "damaged", name, position, message, { cause });
  }

  close(): void {
    this.unpacker.destroy();
    this.source.close();
  }
}

/** The bytes of `source` unpacked. */
export function gunzip(source: ByteSource): ByteSource {
  return new GunzipSource(source);
}

/** Opens `path`, or standard input for `-`. @throws {CaptureError} `unreadable` */
export function openSource(path: string): ByteSource {
  if (path === "-") return new StreamSource("standard input", process.stdin);
  try {
    return new FileSource(path, openSync(path, "r"));
  } catch (cause) {
    throw unreadable(path, 0, cause);
  }
}
