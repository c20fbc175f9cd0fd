import { setTimeout as sleep } from "node:timers/promises";
import { type Alert, alertUid } from "./alert.js";
import { AlertError } from "./alert-error.js";
import type { AlertReceiver } from "./alert-receiver.js";
import type { AlertSpool } from "./alert-spool.js";

/** Pauses after a failure double from the first to the last. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;

export interface AlertSenderOptions {
  readonly firstPauseMs?: number;
  readonly lastPauseMs?: number;
  readonly nowUs: () => number;
  /** Told when delivering begins to fail, when it works again, and of each alert that is refused for good. */
  readonly say: (line: string) => void;
}

export interface SenderFigures {
  readonly sent: number;
  readonly failures: number; // attempts that have to be made again
  readonly refused: number; // that the receiver will never take
}

/** Delivers what is in the spool to one receiver, in order, one after the other, until it is closed. */
export class AlertSender {
  private readonly stop = new AbortController();
  private readonly running: Promise<void>;
  private sent = 0;
  private failures = 0;
  private refused = 0;
  private isAway = false;

  constructor(
    private readonly spool: AlertSpool,
    readonly receiver: AlertReceiver,
    private readonly options: AlertSenderOptions,
  ) {
    this.running = this.run();
  }

  figures(): SenderFigures {
    return { sent: this.sent, failures: this.failures, refused: this.refused };
  }

  /** Ends after the delivery that is under way; the rest waits in the spool. */
  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { name } = this.receiver;
    const { firstPauseMs = FIRST_PAUSE_MS, lastPauseMs = LAST_PAUSE_MS } = this.options;
    const { signal } = this.stop;
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      const { waiting, lost } = this.spool.place(name);
      if (waiting === 0 && lost === 0) {
        await Promise.race([this.spool.changed(), stopped]);
        continue;
      }
      try {
        await this.deliverNext();
        pauseMs = firstPauseMs;
      } catch (error) {
        this.failures++;
        if (!this.isAway) this.options.say(`alerts to ${name} wait: ${(error as Error).message}; trying again`);
        this.isAway = true;
        const notBeforeMs = error instanceof AlertError ? (error.notBeforeMs ?? 0) : 0;
        await sleep(Math.max(pauseMs, notBeforeMs), undefined, { signal }).catch(() => {});
        pauseMs = Math.min(2 * pauseMs, lastPauseMs);
      }
    }
  }

  /** What was lost is told before what comes after it. */
  private async deliverNext(): Promise<void> {
    const { name } = this.receiver;
    const waiting = this.spool.next(name);
    const { lost } = this.spool.place(name);
    if (lost > 0) {
      const atUs = this.options.nowUs();
      await this.deliver({ kind: "gap", uid: alertUid("gap", name, atUs, lost), atUs, lost });
      this.spool.toldOfLoss(name, lost);
    } else if (waiting !== undefined) {
      await this.deliver(waiting.alert);
      this.spool.done(name, waiting.number);
    }
  }

  private async deliver(alert: Alert): Promise<void> {
    const { name } = this.receiver;
    try {
      await this.receiver.deliver(alert);
      this.sent++;
    } catch (error) {
      if (!(error instanceof AlertError) || error.code !== "refused") throw error;
      this.refused++;
      this.options.say(`an alert to ${name} is given up: ${error.message}`);
    }
    if (this.isAway) this.options.say(`alerts to ${name} arrive again`);
    this.isAway = false;
  }
}
