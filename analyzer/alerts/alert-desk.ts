import type { Inventory } from "../../model/workload.js";
import type { AcceptedDenial } from "../audit/accepted-denials.js";
import { fullBucket } from "./alert-limit.js";
import type { AlertReceiver } from "./alert-receiver.js";
import { AlertSender, type AlertSenderOptions, type SenderFigures } from "./alert-sender.js";
import { AlertSpool, type ReceiverPlace } from "./alert-spool.js";
import { type DenialsSince, freshDenials, type TrailPoint } from "./denial-sightings.js";
import { edgeAlerts, planAlerts } from "./plan-alerts.js";

const LOOK_EVERY_MS = 2_000;

/** The analyzer, as far as alerts need it. */
export interface AlertSource {
  denialsSince(after: TrailPoint | undefined): Promise<DenialsSince>;
  inventory(): Inventory;
}

export interface AlertDeskOptions extends Omit<AlertSenderOptions, "nowUs"> {
  readonly source: AlertSource;
  readonly receivers: readonly AlertReceiver[];
  readonly folder: string; // of the spool
  readonly limit?: number; // alerts in the spool
  readonly perMinute: number;
  readonly quietUs: number; // an edge that was not counted for so long is news again
  readonly accepted: () => readonly AcceptedDenial[];
  readonly lookEveryMs?: number;
  readonly nowMs: () => number;
}

export interface AlertFigures {
  readonly edges: { readonly audited: number; readonly denied: number }; // told one by one
  readonly summarised: number; // edges left to summaries
  readonly receivers: readonly (SenderFigures & ReceiverPlace & { readonly name: string })[];
}

/**
 * Reads the audit trail on from where it was and tells the receivers what is new in it. The trail is kept for good, so
 * nothing is lost while the spool cannot be written: the same part is read again.
 */
export class AlertDesk {
  private readonly stop = new AbortController();
  private readonly senders: readonly AlertSender[];
  private bucket: ReturnType<typeof fullBucket>;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private edges = { audited: 0, denied: 0 };
  private summarised = 0;
  private isFailing = false;

  private constructor(
    private readonly options: AlertDeskOptions,
    private readonly spool: AlertSpool,
  ) {
    this.bucket = fullBucket(options.perMinute, performance.now());
    const nowUs = () => options.nowMs() * 1000;
    this.senders = options.receivers.map((receiver) => new AlertSender(spool, receiver, { ...options, nowUs }));
    // At once: what comes from now on is news, however soon it comes.
    this.lookNow();
  }

  /** @throws {AlertError} If the spool cannot be used. */
  static open(options: AlertDeskOptions): AlertDesk {
    const { folder, limit, receivers } = options;
    const names = receivers.map(({ name }) => name);
    const spool = AlertSpool.open({ folder, receivers: names, ...(limit === undefined ? {} : { limit }) });
    return new AlertDesk(options, spool);
  }

  figures(): AlertFigures {
    return {
      edges: this.edges,
      summarised: this.summarised,
      receivers: this.senders.map((sender) => ({
        name: sender.receiver.name,
        ...sender.figures(),
        ...this.spool.place(sender.receiver.name),
      })),
    };
  }

  /** What is under way is delivered, the rest by the next process. */
  async close(): Promise<void> {
    this.stop.abort();
    clearTimeout(this.timer);
    await this.looking;
    await Promise.all(this.senders.map((sender) => sender.close()));
    this.spool.close();
  }

  private lookNow(): void {
    this.looking = this.look().finally(() => this.lookLater());
  }

  private lookLater(): void {
    if (this.stop.signal.aborted) return;
    const { lookEveryMs = LOOK_EVERY_MS } = this.options;
    this.timer = setTimeout(() => this.lookNow(), lookEveryMs);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    try {
      while (!this.stop.signal.aborted && (await this.step())) {}
      if (this.isFailing) this.options.say("alerts go on");
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing) this.options.say(`alerts stand still: ${(error as Error).message}; trying again`);
      this.isFailing = true;
    }
  }

  /** Reads the next part of the trail. Answers whether there may be more. */
  private async step(): Promise<boolean> {
    const { source, quietUs, accepted, nowMs, say } = this.options;
    const { point, heldBack } = this.spool;
    const denials = await source.denialsSince(point);
    if (denials.isOtherTrail) say("alerts: the store is another than before; only what is counted from now on is told");
    const edges = edgeAlerts(freshDenials(denials, quietUs), source.inventory(), accepted());
    const hasMoved = point?.number !== denials.until.number || point.link !== denials.until.link;
    if (!hasMoved && heldBack === undefined) return false;
    const now = { steadyMs: performance.now(), us: nowMs() * 1000 };
    const plan = planAlerts(edges, heldBack, this.bucket, now);
    if (hasMoved || plan.alerts.length > 0) this.spool.add(plan.alerts, denials.until, plan.heldBack);
    this.bucket = plan.bucket;
    for (const alert of plan.alerts) {
      if (alert.kind === "edge") this.edges = { ...this.edges, [alert.verdict]: this.edges[alert.verdict] + 1 };
    }
    this.summarised += edges.length - plan.alerts.filter(({ kind }) => kind === "edge").length;
    return hasMoved;
  }
}
