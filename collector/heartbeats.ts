import {
  encodeHeartbeat,
  HEARTBEAT_EVERY_MS,
  HEARTBEAT_SCHEMA,
  HEARTBEAT_VERSION,
  type SensorHeartbeat,
  type WatchedInterface,
} from "../model/sensor-heartbeat.js";
import type { Carrier } from "../stream/carrier.js";
import type { Spool } from "./spool/spool.js";

export interface HeartbeatOptions {
  readonly sensor: string;
  readonly boot: string;
  readonly software: string;
  readonly carrier: Carrier;
  readonly spool: Spool;
  readonly interfaces: () => readonly WatchedInterface[];
}

const LAST_WITHIN_MS = 2_000;

/** Tells every ten seconds that this collector lives. One that cannot be sent is not kept: the next one knows more. */
export class Heartbeats {
  readonly #startedUs = Date.now() * 1000;
  readonly #timer: NodeJS.Timeout;
  #isSending = false;

  constructor(readonly options: HeartbeatOptions) {
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_EVERY_MS);
    this.#beat();
  }

  #beat(): void {
    if (this.#isSending) return; // the broker is away; what is under way will tell it is back
    this.#isSending = true;
    this.#send({})
      .catch(() => {}) // the batches have the same trouble, and tell of it
      .finally(() => {
        this.#isSending = false;
      });
  }

  #send(more: Pick<SensorHeartbeat, "ended">): Promise<void> {
    const beat = { ...this.now(), ...more };
    const headers = { schema: HEARTBEAT_SCHEMA };
    return this.options.carrier.send("portolan.sensors", { key: beat.sensor, value: encodeHeartbeat(beat), headers });
  }

  now(): SensorHeartbeat {
    const { sensor, boot, software, interfaces } = this.options;
    const { bytes, batches, oldestUs, lostBatches, lostFlows, fault } = this.options.spool.status();
    const nowMs = Date.now();
    return {
      version: HEARTBEAT_VERSION,
      sensor,
      kind: "collector",
      boot,
      atUs: nowMs * 1000,
      startedUs: this.#startedUs,
      software,
      interfaces: interfaces(),
      spool: {
        ...{ bytes, batches, lostBatches, lostFlows },
        ...(oldestUs === undefined ? {} : { oldestUs }),
        ...(fault === undefined ? {} : { fault }),
      },
      lagMs: oldestUs === undefined ? 0 : Math.max(0, nowMs - oldestUs / 1000),
    };
  }

  /** Tells that this was the last one, if the broker takes it soon. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      late = setTimeout(resolve, LAST_WITHIN_MS);
    });
    await Promise.race([this.#send({ ended: true }).catch(() => {}), tooLate]);
    clearTimeout(late);
  }
}
