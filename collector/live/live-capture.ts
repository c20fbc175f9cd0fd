import { setTimeout as wait } from "node:timers/promises";
import { StreamSource } from "../capture-file/byte-source.js";
import { CaptureError } from "../capture-file/capture-error.js";
import { CaptureReader } from "../capture-file/capture-reader.js";
import { firstLayerOf } from "../layers/link-types.js";
import { isCapInstalled, startCap } from "./cap-source.js";
import { type CaptureChild, type CaptureWish, findProgram } from "./capture-child.js";
import { LiveCaptureError } from "./live-capture-error.js";
import { startTcpdump } from "./tcpdump-source.js";

export interface LiveCaptureOptions extends CaptureWish {
  /** Takes one packet that begins with `layer`, see firstLayerOf; `bytes` are its own only during the call. */
  readonly onPacket: (
    layer: number,
    bytes: Uint8Array,
    start: number,
    capturedLength: number,
    wireLength: number,
    timeUs: number,
  ) => void;
  /** Told when the state changes, once for each change. */
  readonly onState: (state: LiveState) => void;
}

/** Whether packets come. While `waiting`, the capture is tried again and again. */
export type LiveState =
  | { readonly kind: "capturing"; readonly program: string }
  | { readonly kind: "waiting"; readonly error: LiveCaptureError };

export interface LiveTotals {
  readonly packets: number;
  readonly dropped: number | "unknown";
}

export interface LiveCapture {
  /** How many packets were lost since this was last asked; "unknown" where that cannot be told, also after a restart. */
  takeLoss(): number | "unknown";
  totals(): LiveTotals;
  /** Ends the capture after what came in until now was handed out; takes about a second. */
  stop(): Promise<LiveTotals>;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 2000;

function startSource(wish: CaptureWish): CaptureChild {
  const tcpdump = findProgram("tcpdump");
  if (tcpdump !== undefined) return startTcpdump(tcpdump, wish);
  if (isCapInstalled()) return startCap(wish);
  const wanted = 'neither the program tcpdump nor the package "cap" is installed';
  throw new LiveCaptureError("no-program", wish.interface, `Cannot capture on "${wish.interface}": ${wanted}`);
}

/** Adds losses, where one unknown makes the sum unknown. */
export function addLoss(a: number | "unknown", b: number | "unknown"): number | "unknown" {
  return a === "unknown" || b === "unknown" ? "unknown" : a + b;
}

class SupervisedCapture implements LiveCapture {
  #packets = 0;
  #droppedByEarlier = 0; // by children that have ended
  #lossTaken = 0;
  #hasGap = false; // at some time nobody captured, or nobody counted
  #isGapTold = true;
  #isStopping = false;
  #child: CaptureChild | undefined;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(readonly options: LiveCaptureOptions) {}

  async begin(): Promise<void> {
    const child = startSource(this.options);
    this.#child = child;
    await child.begun;
    this.options.onState({ kind: "capturing", program: child.program });
    this.#running = this.#supervise(child);
  }

  async #supervise(first: CaptureChild): Promise<void> {
    let child: CaptureChild | undefined = first;
    while (child !== undefined) {
      const fault = await this.#drain(child);
      const error = fault ?? (await child.ended);
      if (child.dropped === "unknown") this.#noteGap();
      else this.#droppedByEarlier += child.dropped;
      this.#child = undefined;
      if (this.#isStopping) return;
      this.#noteGap(); // what comes while nobody captures is lost, and nobody counts it
      child = await this.#restart(error);
    }
  }

  /** Hands out the child's packets until it ends. @returns what is wrong with its output, if anything is */
  async #drain(child: CaptureChild): Promise<LiveCaptureError | undefined> {
    const { onPacket } = this.options;
    const name = `${child.program} on ${this.options.interface}`;
    try {
      const reader = await CaptureReader.open(new StreamSource(name, child.pcap));
      const { packet } = reader;
      let layer: number | undefined;
      for (;;) {
        const step = reader.advance();
        if (!(typeof step === "boolean" ? step : await step)) return undefined;
        this.#packets++;
        layer ??= this.#layerOf(packet.linkType, name, reader.offset); // a capture of one interface has one link type
        onPacket(layer, reader.bytes, packet.start, packet.capturedLength, packet.wireLength, packet.timeUs);
      }
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      // A child that is killed leaves nothing, or half a packet: then its end says more than its output.
      if (error.code === "empty" || error.code === "truncated") return undefined;
      child.kill();
      return new LiveCaptureError("failed", this.options.interface, error.message, { cause: error });
    }
  }

  #layerOf(linkType: number, name: string, offset: number): number {
    const layer = firstLayerOf(linkType);
    if (layer !== undefined) return layer;
    const wanted = `its packets have link type ${linkType}, wanted one that carries IP such as 1 (Ethernet)`;
    const message = `Cannot capture on "${this.options.interface}": ${wanted}`;
    throw new CaptureError("unknown-link-type", name, offset, message);
  }

  async #restart(cause: LiveCaptureError | undefined): Promise<CaptureChild | undefined> {
    const { interface: name, onState } = this.options;
    let error =
      cause ?? new LiveCaptureError("failed", name, `Cannot capture on "${name}": the capture ended by itself`);
    let told = "";
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_RETRY_MS)) {
      if (error.message !== told) onState({ kind: "waiting", error });
      told = error.message;
      await wait(pauseMs, undefined, { signal: this.#stopped.signal }).catch(() => {});
      if (this.#isStopping) return undefined;
      try {
        const child = startSource(this.options);
        this.#child = child;
        await child.begun;
        if (this.#isStopping) void child.stop();
        else onState({ kind: "capturing", program: child.program });
        return child;
      } catch (again) {
        if (!(again instanceof LiveCaptureError)) throw again;
        error = again;
      }
    }
  }

  #noteGap(): void {
    this.#hasGap = true;
    this.#isGapTold = false;
  }

  get #dropped(): number {
    const current = this.#child?.dropped ?? 0;
    return this.#droppedByEarlier + (current === "unknown" ? 0 : current);
  }

  takeLoss(): number | "unknown" {
    const isUnknown = !this.#isGapTold || this.#child?.dropped === "unknown";
    const dropped = this.#dropped;
    const loss = dropped - this.#lossTaken;
    this.#lossTaken = dropped;
    this.#isGapTold = true;
    return isUnknown ? "unknown" : loss;
  }

  totals(): LiveTotals {
    const isUnknown = this.#hasGap || this.#child?.dropped === "unknown";
    return { packets: this.#packets, dropped: isUnknown ? "unknown" : this.#dropped };
  }

  async stop(): Promise<LiveTotals> {
    this.#isStopping = true;
    this.#stopped.abort();
    await this.#child?.stop();
    await this.#running;
    return this.totals();
  }
}

/**
 * Captures on an interface with what is installed, tcpdump before `cap`, in a child process that ends with this one. When
 * the child ends, as it does when the interface vanishes, it is started again until the interface is back.
 * @throws {LiveCaptureError} If the capture cannot begin. What happens later is told to `onState`.
 */
export async function startLiveCapture(options: LiveCaptureOptions): Promise<LiveCapture> {
  const capture = new SupervisedCapture(options);
  await capture.begin();
  return capture;
}
