import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Analyzer } from "../analyzer/analyzer.js";
import { followAudit } from "../analyzer/ingest/follow-audit.js";
import { type FollowedFlows, followFlows } from "../analyzer/ingest/follow-flows.js";
import { followInventory } from "../analyzer/ingest/follow-inventory.js";
import { followSensors } from "../analyzer/ingest/follow-sensors.js";
import { encodeHeartbeat, HEARTBEAT_EVERY_MS, HEARTBEAT_SCHEMA, HEARTBEAT_VERSION } from "../model/sensor-heartbeat.js";
import type { Carrier } from "../stream/carrier.js";
import type { DeadLetterCounts } from "../stream/dead-letters.js";
import { kafkaCarrier } from "../stream/kafka/kafka-carrier.js";
import type { KafkaSettings } from "../stream/kafka/kafka-settings.js";
import { StreamError } from "../stream/stream-error.js";
import type { Condition } from "../web/api/probes.js";
import { failureLines } from "./failure.js";
import { VERSION } from "./version.js";

const RECONNECT_MS = 2_000;
/** Settings that are refused show within this time; a cluster that is slower than that is waited for beside the explorer. */
const FIRST_CONNECT_MS = 10_000;
/** A cluster that stands still must not keep the process from ending. */
const LAST_WORDS_MS = 2_000;
const NO_LETTERS: DeadLetterCounts = { byCode: {}, total: 0, unkept: 0 };

export interface FollowKafkaOptions {
  readonly group: string | undefined;
  /** Whether the inventory comes by its topic; otherwise the caller has one. */
  readonly withInventory: boolean;
  readonly say: (line: string) => void;
}

/** Feeds an analyzer from Kafka. A cluster that cannot be reached is tried again; what is stored can be read meanwhile. */
export class KafkaFollower {
  private readonly startedUs = Date.now() * 1000;
  private readonly boot = randomUUID();
  private readonly closing = new AbortController();
  private carrier: Carrier | undefined;
  private flows: FollowedFlows | undefined;
  private fault: string | undefined = "not connected yet";
  private beating: NodeJS.Timeout | undefined;
  private connecting: Promise<void> = Promise.resolve();

  private constructor(
    private readonly settings: KafkaSettings,
    private readonly analyzer: Analyzer,
    private readonly options: FollowKafkaOptions,
  ) {}

  /**
   * Resolves when it is connected, or knows that this takes longer.
   * @throws {StreamError} If the settings or the cluster refuse us; one that is only away is waited for.
   */
  static async start(settings: KafkaSettings, analyzer: Analyzer, options: FollowKafkaOptions): Promise<KafkaFollower> {
    const follower = new KafkaFollower(settings, analyzer, options);
    let isLate = false;
    const first = follower.connect().catch((error: unknown) => {
      const isPassing = error instanceof StreamError && error.isRetriable;
      if (!isPassing && !isLate) throw error;
      follower.say(error);
      follower.connecting = follower.connectLater();
    });
    follower.connecting = first;
    await Promise.race([first, wait(FIRST_CONNECT_MS, undefined, { ref: false })]);
    isLate = true;
    return follower;
  }

  private say(error: unknown): void {
    const line = failureLines(error).join("; ");
    if (line !== this.fault) this.options.say(`${line}; trying again`);
    this.fault = line;
  }

  private async connectLater(): Promise<void> {
    while (!this.closing.signal.aborted) {
      try {
        await wait(RECONNECT_MS, undefined, { signal: this.closing.signal });
        await this.connect();
        return;
      } catch (error) {
        if (!this.closing.signal.aborted) this.say(error);
      }
    }
  }

  private async connect(): Promise<void> {
    const { analyzer, options } = this;
    const { say, group } = options;
    const carrier = await kafkaCarrier({ ...this.settings, say: (_, line) => say(line) });
    this.carrier = carrier;
    try {
      await followSensors(carrier, (beat) => analyzer.heartbeat(beat), say);
      await followAudit(carrier, analyzer, say);
      if (options.withInventory) {
        await followInventory(carrier, (inventory) => analyzer.setInventory(inventory), {
          say,
          onTaken: ({ workloads }) => say(`inventory of ${workloads.length} workloads taken over`),
          onProblem: (error) =>
            failureLines(error).forEach((line) => say(`${line}; the last inventory stays in force`)),
        });
      }
      const follow = { isLasting: true, say, ...(group === undefined ? {} : { group }) };
      this.flows = await followFlows(carrier, analyzer, follow);
    } catch (error) {
      this.carrier = undefined;
      await carrier.close().catch(() => {});
      throw error;
    }
    this.fault = undefined;
    if (this.closing.signal.aborted) return;
    const beat = () => void this.beat(carrier).catch(() => {});
    this.beating = setInterval(beat, HEARTBEAT_EVERY_MS);
    beat();
  }

  private beat(carrier: Carrier, ended?: true): Promise<void> {
    const { lagMs } = this.analyzer.intake();
    const sensor = this.settings.clientId;
    const value = encodeHeartbeat({
      version: HEARTBEAT_VERSION,
      sensor,
      kind: "analyzer",
      boot: this.boot,
      atUs: Date.now() * 1000,
      startedUs: this.startedUs,
      software: VERSION,
      interfaces: [],
      ...(lagMs === "unknown" ? {} : { lagMs }),
      ...(ended === undefined ? {} : { ended }),
    });
    return carrier.send("portolan.sensors", { key: sensor, value, headers: { schema: HEARTBEAT_SCHEMA } });
  }

  deadLetters(): DeadLetterCounts {
    return this.flows?.deadLetters() ?? NO_LETTERS;
  }

  condition(): Condition {
    return { name: "kafka", isMet: this.fault === undefined, isNeeded: true, text: this.fault ?? "connected" };
  }

  /** Stores what was taken and lets the cluster know that we have gone, if it listens soon. @throws {StoreError} */
  async close(): Promise<void> {
    this.closing.abort();
    clearInterval(this.beating);
    await soon(this.connecting);
    const { carrier } = this;
    if (carrier === undefined) return;
    try {
      await this.flows?.close();
      await soon(this.beat(carrier, true));
    } finally {
      await soon(carrier.close());
    }
  }
}

/** Resolves when the work is done, has failed, or takes too long. */
async function soon(work: Promise<void>): Promise<void> {
  await Promise.race([work.catch(() => {}), wait(LAST_WORDS_MS, undefined, { ref: false })]);
}
