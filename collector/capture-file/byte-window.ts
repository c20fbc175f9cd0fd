import type { ByteSource } from "./byte-source.js";

const CHUNK = 512 * 1024;

/**
 * The one buffer that a capture is read through. Unread bytes are [at, end); `base` is the file offset of bytes[0].
 *
 *     0 ......... at ############ end ......... bytes.length
 *       done        not yet read       free
 */
export class ByteWindow {
  bytes = new Uint8Array(2 * CHUNK);
  at = 0;
  end = 0;
  isAtEnd = false; // the source has no more
  private base = 0;

  constructor(readonly source: ByteSource) {}

  get offset(): number {
    return this.base + this.at;
  }

  /**
   * Moves what is unread to the front and reads once more, so that `wanted` bytes fit. A promise only where the source
   * makes one.
   */
  fill(wanted: number): void | Promise<void> {
    if (this.at > 0) {
      this.bytes.copyWithin(0, this.at, this.end);
      this.base += this.at;
      this.end -= this.at;
      this.at = 0;
    }
    if (wanted > this.bytes.length) {
      const larger = new Uint8Array(wanted + CHUNK);
      larger.set(this.bytes.subarray(0, this.end));
      this.bytes = larger;
    }
    const count = this.source.read(this.bytes, this.end, Math.min(CHUNK, this.bytes.length - this.end));
    if (typeof count === "number") this.took(count);
    else return count.then((late) => this.took(late));
  }

  private took(count: number): void {
    if (count === 0) this.isAtEnd = true;
    this.end += count;
  }
}
