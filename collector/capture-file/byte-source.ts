import { closeSync, openSync, readSync } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CaptureError } from "./capture-error.js";

/** Where capture bytes come from. Reading at once (no promise) is what makes plain files fast. */
export interface ByteSource {
  readonly name: string; // for messages
  /** Fills `into` from `at` with up to `length` bytes; resolves to how many, 0 at the end. @throws {CaptureError} */
  read(into: Uint8Array, at: number, length: number): number | Promise<number>;
  close(): void;
}

function unreadable(name: string, offset: number, cause: unknown): CaptureError {
  const reason = cause instanceof Error ? cause.message : String(cause);
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
        // A cut-off gzip file is a truncated capture: what came before the cut has been delivered and stays.
        if ((cause as NodeJS.ErrnoException).code === "Z_BUF_ERROR") {
          const wanted = "the compressed data ends before its end mark";
          throw new CaptureError(
            "truncated",
            this.name,
            this.position,
            `Cannot unpack capture "${this.name}": ${wanted}`,
            {
              cause,
            },
          );
        }
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

/** The bytes of `source` unpacked. */
export function gunzip(source: ByteSource): ByteSource {
  const unpacker = createGunzip({ chunkSize: 256 * 1024 });
  const pump = async () => {
    const chunk = new Uint8Array(256 * 1024);
    for (;;) {
      const count = await source.read(chunk, 0, chunk.length);
      if (count === 0) break;
      if (!unpacker.write(chunk.slice(0, count))) {
        await new Promise<void>((resolve) => {
          unpacker.once("drain", resolve);
          unpacker.once("close", resolve);
        });
      }
      if (unpacker.destroyed) return;
    }
    unpacker.end();
  };
  pump().catch((cause) => unpacker.destroy(cause instanceof Error ? cause : new Error(String(cause))));
  const stream = new StreamSource(source.name, unpacker);
  return {
    name: source.name,
    read: (into, at, length) => stream.read(into, at, length),
    close() {
      stream.close();
      source.close();
    },
  };
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
