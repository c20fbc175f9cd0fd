import { setTimeout as wait } from "node:timers/promises";
import type { Carrier } from "../../stream/carrier.js";
import { StreamError } from "../../stream/stream-error.js";
import type { Flight, Spool } from "./spool.js";

export interface SenderHandlers {
  /** Told when sending begins to fail, and with undefined when it works again. */
  readonly onTrouble: (error: unknown) => void;
}

export interface SenderTotals {
  readonly batches: number; // acknowledged
  readonly flows: number;
}

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

/** Sends what is in the spool, in order, one flight after the other, until it is stopped. What fails is tried again. */
export class SpoolSender {
  #batches = 0;
  #flows = 0;
  #isFailing = false;
  #mostMessages: number | undefined;
  readonly #stop = new AbortController();

  constructor(
    readonly spool: Spool,
    readonly carrier: Carrier,
    readonly handlers: SenderHandlers,
  ) {
    void this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const flight = this.spool.next(this.#mostMessages);
      if (flight === undefined) {
        await this.spool.changed();
      } else if (await this.#send(flight)) {
        pauseMs = FIRST_PAUSE_MS;
      } else {
        await wait(pauseMs, undefined, { signal }).catch(() => {});
        pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS);
      }
    }
  }

  async #send(flight: Flight): Promise<boolean> {
    try {
      await this.carrier.sendAll("portolan.flows", flight.messages);
    } catch (error) {
      if (error instanceof StreamError && error.code === "too-large") {
        // No second try helps, and nothing behind it may wait for ever. By itself, to know which of them it is.
        if (flight.messages.length === 1) this.spool.refuse(flight);
        this.#mostMessages = 1;
        return true;
      }
      if (!this.#isFailing) this.handlers.onTrouble(error);
      this.#isFailing = true;
      return false;
    }
    if (this.#isFailing) this.handlers.onTrouble(undefined);
    this.#isFailing = false;
    this.#mostMessages = undefined;
    if (this.#stop.signal.aborted) return true; // the spool may be closed
    this.spool.acknowledge(flight);
    this.#batches += flight.batches.length;
    this.#flows += flight.batches.reduce((sum, { flows }) => sum + flows, 0);
    return true;
  }

  /** Whether the last attempt to send failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  totals(): SenderTotals {
    return { batches: this.#batches, flows: this.#flows };
  }

  /** Resolves when everything is sent, or after `withinMs`. @returns whether everything is sent */
  async drain(withinMs: number): Promise<boolean> {
    const late = wait(withinMs, true, { ref: false });
    while (this.spool.next() !== undefined) {
      if ((await Promise.race([this.spool.changed(), late])) === true) return false;
    }
    return true;
  }

  /** From now on the spool is left alone. What is under way is sent again by the next process. */
  stop(): void {
    this.#stop.abort();
  }
}
