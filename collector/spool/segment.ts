import { closeSync, fdatasync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { LostRanges } from "./lost-ranges.js";

/** Where the bytes of a segment are: a file, or memory while the disk takes none. */
interface Medium {
  append(bytes: Uint8Array): void; // takes all of it or throws and has taken nothing
  read(from: number, until: number): Uint8Array;
  sync(): Promise<void>;
  remove(): void;
  close(): void;
}

class FileMedium implements Medium {
  #length: number;
  #syncing: Promise<void> | undefined; // a descriptor that is being synced must not be closed and given to another file

  constructor(
    readonly path: string,
    readonly fd: number,
    length: number,
  ) {
    this.#length = length;
  }

  append(bytes: Uint8Array): void {
    const before = this.#length;
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.fd, bytes, done, bytes.length - done, before + done);
      }
    } catch (error) {
      ftruncateSync(this.fd, before); // half a record would look like a crash
      throw error;
    }
    this.#length = before + bytes.length;
  }

  read(from: number, until: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(until - from);
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(this.fd, bytes, done, bytes.length - done, from + done);
      if (read === 0) break; // somebody cut the file
      done += read;
    }
    return bytes.subarray(0, done);
  }

  sync(): Promise<void> {
    this.#syncing ??= new Promise<void>((resolve, reject) => {
      fdatasync(this.fd, (error) => (error ? reject(error) : resolve()));
    }).finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  remove(): void {
    this.close();
    try {
      unlinkSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  close(): void {
    const close = () => closeSync(this.fd);
    if (this.#syncing === undefined) close();
    else this.#syncing.then(close, close);
  }
}

class MemoryMedium implements Medium {
  readonly #parts: Uint8Array[] = [];

  append(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  read(from: number, until: number): Uint8Array {
    return Buffer.concat(this.#parts).subarray(from, until);
  }

  async sync(): Promise<void> {}

  remove(): void {}

  close(): void {}
}

/** One piece of the spool's queue; written at its end, read from its beginning, removed as a whole. */
export class Segment {
  length = 0; // bytes
  readAt = 0; // what lies before is acknowledged
  batches = 0; // that are not acknowledged
  flows = 0; // in them
  oldestUs: number | undefined; // when its first batch was made
  isSynced = true;
  /** What is lost when the segment goes unread. */
  readonly content = new LostRanges();

  private constructor(
    readonly number: number,
    readonly isFile: boolean,
    private readonly medium: Medium,
  ) {}

  static create(path: string, number: number): Segment {
    return new Segment(number, true, new FileMedium(path, openSync(path, "wx+", 0o600), 0));
  }

  /** Opens a segment that an earlier process left behind. */
  static open(path: string, number: number, length: number): Segment {
    const segment = new Segment(number, true, new FileMedium(path, openSync(path, "r+"), length));
    segment.length = length;
    return segment;
  }

  static inMemory(number: number): Segment {
    return new Segment(number, false, new MemoryMedium());
  }

  append(bytes: Uint8Array): void {
    this.medium.append(bytes);
    this.length += bytes.length;
    this.isSynced = false;
  }

  /** All bytes from `from` on. */
  read(from: number): Uint8Array {
    return this.medium.read(from, this.length);
  }

  async sync(): Promise<void> {
    if (this.isSynced) return;
    this.isSynced = true;
    await this.medium.sync();
  }

  remove(): void {
    this.medium.remove();
  }

  close(): void {
    this.medium.close();
  }
}
