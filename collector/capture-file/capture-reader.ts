import { type ByteSource, gunzip, prepend } from "./byte-source.js";
import { ByteWindow } from "./byte-window.js";
import { CaptureError } from "./capture-error.js";
import { isPcapMagic, PcapFormat } from "./pcap-format.js";
import { isPcapngMagic, PcapngFormat } from "./pcapng-format.js";
import { MORE, PACKET, type RecordFormat, type Step } from "./record-format.js";

/** Packets of one capture, in the file's order. The format is known by its first bytes, not by its name. */
export class CaptureReader {
  private filling: Promise<void> | undefined;

  private constructor(
    private readonly window: ByteWindow,
    /** The packet in hand after `step` returned `PACKET`. */
    readonly packet: RecordFormat,
  ) {}

  /**
   * Opens a pcap or pcapng, packed with gzip or not.
   * @throws {CaptureError} `empty`, `not-a-capture`, `unreadable`
   */
  static async open(source: ByteSource): Promise<CaptureReader> {
    let plain = source;
    for (let isPacked = false; ; isPacked = true) {
      const head = new Uint8Array(4);
      let length = 0;
      while (length < 4) {
        const count = await plain.read(head, length, 4 - length);
        if (count === 0) break;
        length += count;
      }
      const { name } = plain;
      if (length === 0) {
        throw new CaptureError("empty", name, 0, `Cannot read capture "${name}": it is empty, wanted pcap or pcapng`);
      }
      plain = prepend(head.subarray(0, length), plain);
      const magic = ((head[0]! << 24) | (head[1]! << 16) | (head[2]! << 8) | head[3]!) >>> 0;
      if (!isPacked && magic >>> 8 === 0x1f8b08) {
        plain = gunzip(plain);
        continue;
      }
      const window = new ByteWindow(plain);
      if (length === 4 && isPcapMagic(magic)) return new CaptureReader(window, new PcapFormat(window));
      if (length === 4 && isPcapngMagic(magic)) return new CaptureReader(window, new PcapngFormat(window));
      const seen = Buffer.from(head.subarray(0, length)).toString("hex");
      throw new CaptureError(
        "not-a-capture",
        name,
        0,
        `Cannot read "${name}" as a capture: it starts with ${seen}, wanted the first bytes of a pcap or pcapng`,
      );
    }
  }

  get name(): string {
    return this.window.source.name;
  }

  /** Bytes read so far, unpacked. */
  get offset(): number {
    return this.window.offset;
  }

  /** The buffer that holds the packet in hand. */
  get bytes(): Uint8Array {
    return this.window.bytes;
  }

  /**
   * Steps to the next packet: `PACKET` when there is one, `END` at the end, `MORE` when the source has to be waited for:
   * then await `ready` and step again.
   * @throws {CaptureError} `truncated`, `damaged`, `unreadable`; nothing more can be read then.
   */
  step(): Step {
    for (;;) {
      const step = this.packet.next();
      if (step !== MORE) return step;
      const filling = this.window.fill(this.packet.wanted);
      if (filling === undefined) continue;
      this.filling = filling;
      return MORE;
    }
  }

  /** Resolves when the source has given what `step` wants. @throws {CaptureError} */
  async ready(): Promise<void> {
    await this.filling;
    this.filling = undefined;
  }

  /** Whether there is another packet; a promise of that only where the source has to be waited for. @throws {CaptureError} */
  advance(): boolean | Promise<boolean> {
    const step = this.step();
    return step === MORE ? this.ready().then(() => this.advance()) : step === PACKET;
  }

  close(): void {
    this.window.source.close();
  }
}
