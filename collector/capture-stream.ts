import { openSource } from "./capture-file/byte-source.js";
import { CaptureError } from "./capture-file/capture-error.js";
import { CaptureReader } from "./capture-file/capture-reader.js";
import { END, MORE } from "./capture-file/record-format.js";
import type { FlowMeter } from "./flow-meter.js";
import { firstLayerOf } from "./layers/link-types.js";

/** Why `pump` came back. */
type Pumped = "end" | "waiting" | "past limit" | "enough";

/** A capture that is being read, with the packet in hand that was not given away yet. */
class OpenCapture {
  hasPacket = false;
  private linkType = -1;
  private layer = 0;

  constructor(
    readonly reader: CaptureReader,
    readonly order: number, // among the files, to decide between equal times
  ) {}

  get timeUs(): number {
    return this.reader.packet.timeUs;
  }

  /** Gives packets to `meter` while they are not later than `limitUs`, at most `count`. @throws {CaptureError} */
  pump(meter: FlowMeter, limitUs: number, count: number): Pumped {
    const { reader } = this;
    const { packet } = reader;
    for (let left = count; left > 0; left--) {
      if (!this.hasPacket) {
        const step = reader.step();
        if (step === END) return "end";
        if (step === MORE) return "waiting";
        this.hasPacket = true;
      }
      if (packet.timeUs > limitUs) return "past limit";
      if (packet.linkType !== this.linkType) this.takeLinkType();
      this.hasPacket = false;
      meter.add(this.layer, reader.bytes, packet.start, packet.capturedLength, packet.wireLength, packet.timeUs);
    }
    return "enough";
  }

  private takeLinkType(): void {
    const { packet, name, offset } = this.reader;
    const layer = firstLayerOf(packet.linkType);
    if (layer === undefined) {
      throw new CaptureError(
        "unknown-link-type",
        name,
        offset,
        `Cannot take apart packets of "${name}": link type ${packet.linkType} is not known, wanted one that carries IP such as 1 (Ethernet)`,
      );
    }
    this.linkType = packet.linkType;
    this.layer = layer;
  }
}

interface Waiting {
  readonly path: string;
  readonly order: number;
  readonly firstUs: number;
  readonly opened: OpenCapture | undefined; // only what cannot be opened twice stays open
}

/**
 * Packets of several captures in order of time. Only those files are open that overlap at the time at hand, so
 * thousands of rotated files need no more memory than two.
 */
export class CaptureStream {
  readonly errors: CaptureError[] = [];
  /** Packets that the capturing hosts lost; `undefined` once a file does not tell. */
  lost: number | undefined = 0;
  private waiting: Waiting[] = [];
  private active: OpenCapture[] = [];
  private finishedBytes = 0;

  /** Looks at the beginning of each file. A file that cannot be read is an entry in `errors`. */
  static async open(paths: readonly string[]): Promise<CaptureStream> {
    const stream = new CaptureStream();
    for (const [order, path] of paths.entries()) {
      const opened = await stream.openCapture(path, order);
      if (opened === undefined) continue;
      const isKept = path === "-" || paths.length === 1;
      const firstUs = opened.hasPacket ? opened.timeUs : Number.NEGATIVE_INFINITY;
      if (!isKept) opened.reader.close();
      stream.waiting.push({ path, order, firstUs, opened: isKept ? opened : undefined });
    }
    stream.waiting.sort((a, b) => b.firstUs - a.firstUs || b.order - a.order); // the next one is the last
    return stream;
  }

  /** Bytes read so far, unpacked. */
  get bytes(): number {
    return this.active.reduce((sum, { reader }) => sum + reader.offset, this.finishedBytes);
  }

  private async openCapture(path: string, order: number): Promise<OpenCapture | undefined> {
    let reader: CaptureReader | undefined;
    try {
      reader = await CaptureReader.open(openSource(path));
      const capture = new OpenCapture(reader, order);
      let step = reader.step();
      while (step === MORE) {
        await reader.ready();
        step = reader.step();
      }
      capture.hasPacket = step !== END;
      return capture;
    } catch (error) {
      reader?.close();
      this.fail(error);
      return undefined;
    }
  }

  private fail(error: unknown): void {
    if (!(error instanceof CaptureError)) throw error;
    this.errors.push(error);
    this.lost = undefined;
  }

  private finish(capture: OpenCapture): void {
    const { reader } = capture;
    const { dropped } = reader.packet;
    this.lost = dropped === undefined || this.lost === undefined ? undefined : this.lost + dropped;
    this.finishedBytes += reader.offset;
    reader.close();
    this.active.splice(this.active.indexOf(capture), 1);
  }

  /** Gives about `count` packets to `meter`; false when there are no more. */
  async pump(meter: FlowMeter, count: number): Promise<boolean> {
    for (;;) {
      while (this.waiting.length > 0 && this.isDue(this.waiting.at(-1) as Waiting)) {
        const { path, order, opened } = this.waiting.pop() as Waiting;
        const capture = opened ?? (await this.openCapture(path, order));
        if (capture !== undefined) this.active.push(capture);
      }
      if (this.active.length === 0) return false;
      const first = this.active.reduce((a, b) =>
        b.timeUs < a.timeUs || (b.timeUs === a.timeUs && b.order < a.order) ? b : a,
      );
      let limitUs = this.waiting.at(-1)?.firstUs ?? Number.POSITIVE_INFINITY;
      for (const other of this.active) if (other !== first) limitUs = Math.min(limitUs, other.timeUs);
      if (limitUs < first.timeUs) limitUs = first.timeUs;
      try {
        const pumped = first.pump(meter, limitUs, count);
        if (pumped === "enough") return true;
        if (pumped === "end") this.finish(first);
        if (pumped === "waiting") await this.refill(first);
      } catch (error) {
        this.finish(first);
        this.fail(error);
      }
    }
  }

  /** Waits for the source and takes its next packet in hand, so that its time can be compared. */
  private async refill(capture: OpenCapture): Promise<void> {
    let step = MORE as ReturnType<CaptureReader["step"]>;
    while (step === MORE) {
      await capture.reader.ready();
      step = capture.reader.step();
    }
    if (step === END) this.finish(capture);
    else capture.hasPacket = true;
  }

  private isDue(next: Waiting): boolean {
    return this.active.every(({ timeUs }) => next.firstUs <= timeUs);
  }

  close(): void {
    for (const { reader } of this.active) reader.close();
    for (const { opened } of this.waiting) opened?.reader.close();
  }
}
