import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ownFolder } from "../../stream/folder-owner.js";
import { type Alert, parseAlert } from "./alert.js";
import { AlertError } from "./alert-error.js";
import type { TrailPoint } from "./denial-sightings.js";
import type { HeldBack } from "./plan-alerts.js";

/*
 * The folder holds
 *   state.json       how far the trail was read and how far each receiver came; replaced as a whole, and the point from
 *                    which a step counts
 *   NUMBER.json      one alert each that some receiver has not got yet; those that the state does not know are left over
 *                    from a step that a crash cut short, and are made again from the trail
 */
const STATE = "state.json";
const ALERT_FILE = /^(\d{12})\.json$/;
const fileName = (number: number) => `${String(number).padStart(12, "0")}.json`;

const count = z.number().int().nonnegative();
const stateSchema = z.object({
  version: z.literal(1),
  point: z.object({ number: count, link: z.string() }).optional(),
  heldBack: z
    .object({
      edges: count,
      denied: count,
      attempts: count,
      scopes: z.array(z.string()),
      fromEntry: count,
      untilEntry: count,
    })
    .optional(),
  next: count, // number of the next alert
  receivers: z.record(z.string(), z.object({ next: count, lost: count })),
});
type State = z.infer<typeof stateSchema>;

/** Where a receiver stands: the next alert that it gets, and how many it will never get. */
export interface ReceiverPlace {
  readonly waiting: number;
  readonly lost: number; // and has not been told of yet
  readonly dropped: number; // since the spool was opened
}

export interface AlertSpoolOptions {
  readonly folder: string; // made when it is not there
  readonly receivers: readonly string[];
  readonly limit?: number; // alerts on disk; what does not fit pushes out the oldest
}

const MOST_WAITING = 10_000;

/**
 * Alerts on their way, on disk, so that neither a receiver that is away nor a crash loses one. Every receiver gets each alert
 * once in their order, and once more after a crash between its delivery and the note of it.
 */
export class AlertSpool {
  private wakers: (() => void)[] = [];
  private readonly dropped = new Map<string, number>();

  private constructor(
    private readonly folder: string,
    private readonly limit: number,
    private state: State,
    private readonly release: () => void,
  ) {}

  /** @throws {AlertError} `failed`: another process has the folder, or what is in it cannot be read. */
  static open({ folder, receivers, limit = MOST_WAITING }: AlertSpoolOptions): AlertSpool {
    const refuse = (why: string, cause?: unknown) =>
      new AlertError("failed", `Cannot open alert spool "${folder}": ${why}`, undefined, { cause });
    let owned: ReturnType<typeof ownFolder>;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      owned = ownFolder(folder);
    } catch (cause) {
      throw refuse((cause as Error).message, cause);
    }
    if ("takenBy" in owned) throw refuse(`process ${owned.takenBy} uses it; wanted a folder of its own`);
    try {
      const known = readState(join(folder, STATE));
      const next = known?.next ?? 0;
      const places = receivers.map((name) => [name, known?.receivers[name] ?? { next, lost: 0 }] as const);
      const state = { version: 1 as const, next, ...known, receivers: Object.fromEntries(places) };
      const spool = new AlertSpool(folder, limit, state, owned.release);
      spool.tidy();
      return spool;
    } catch (cause) {
      owned.release();
      throw refuse((cause as Error).message, cause);
    }
  }

  /** How far the trail was read; absent at the first start. */
  get point(): TrailPoint | undefined {
    return this.state.point;
  }

  get heldBack(): HeldBack | undefined {
    return this.state.heldBack;
  }

  /**
   * Takes the alerts of one step together with where the trail goes on: all or nothing.
   * @throws {Error} Of the file system; nothing has changed then.
   */
  add(alerts: readonly Alert[], point: TrailPoint, heldBack: HeldBack | undefined): void {
    alerts.forEach((alert, i) => writeDurably(join(this.folder, fileName(this.state.next + i)), JSON.stringify(alert)));
    const next = this.state.next + alerts.length;
    const oldest = next - this.limit;
    const { heldBack: _, receivers: places, ...before } = this.state;
    const pushedOut = ({ next }: { next: number }) => Math.max(0, oldest - next);
    const receivers = Object.entries(places).map(([name, place]) => {
      return [name, { next: place.next + pushedOut(place), lost: place.lost + pushedOut(place) }] as const;
    });
    this.put({ ...before, point, next, receivers: Object.fromEntries(receivers), ...(heldBack && { heldBack }) });
    for (const [name, place] of Object.entries(places)) this.drop(name, pushedOut(place));
    this.tidy();
  }

  /** The next alert of a receiver; a file that cannot be read counts as lost. */
  next(receiver: string): { readonly number: number; readonly alert: Alert } | undefined {
    for (;;) {
      const place = this.placeOf(receiver);
      if (place.next >= this.state.next) return undefined;
      try {
        const alert = parseAlert(readFileSync(join(this.folder, fileName(place.next)), "utf8"));
        return { number: place.next, alert };
      } catch {
        this.move(receiver, { next: place.next + 1, lost: place.lost + 1 });
        this.drop(receiver, 1);
      }
    }
  }

  /** The receiver has it, or will never take it. One that was pushed out meanwhile is counted as lost already. */
  done(receiver: string, number: number): void {
    const place = this.placeOf(receiver);
    if (place.next !== number) return;
    this.move(receiver, { next: number + 1, lost: place.lost });
    this.tidy();
  }

  /** The receiver was told that `lost` alerts will not come. */
  toldOfLoss(receiver: string, lost: number): void {
    const place = this.placeOf(receiver);
    this.move(receiver, { next: place.next, lost: Math.max(0, place.lost - lost) });
  }

  place(receiver: string): ReceiverPlace {
    const { next, lost } = this.placeOf(receiver);
    return { waiting: this.state.next - next, lost, dropped: this.dropped.get(receiver) ?? 0 };
  }

  /** Resolves when something was added. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.wakers.push(resolve));
  }

  close(): void {
    this.wake();
    this.release();
  }

  private drop(receiver: string, alerts: number): void {
    this.dropped.set(receiver, (this.dropped.get(receiver) ?? 0) + alerts);
  }

  private placeOf(receiver: string): State["receivers"][string] {
    const place = this.state.receivers[receiver];
    if (place === undefined) throw new RangeError(`Cannot find receiver "${receiver}" in the alert spool`);
    return place;
  }

  private move(receiver: string, place: State["receivers"][string]): void {
    this.put({ ...this.state, receivers: { ...this.state.receivers, [receiver]: place } });
  }

  private put(state: State): void {
    const draft = join(this.folder, `${STATE}.draft`);
    writeDurably(draft, JSON.stringify(state));
    renameSync(draft, join(this.folder, STATE));
    const isNews = state.next > this.state.next;
    this.state = state;
    if (isNews) this.wake();
  }

  private wake(): void {
    for (const wake of this.wakers.splice(0)) wake();
  }

  /** Removes what every receiver has, and what a crash left behind. */
  private tidy(): void {
    const oldest = Math.min(this.state.next, ...Object.values(this.state.receivers).map(({ next }) => next));
    for (const name of readdirSync(this.folder)) {
      const number = ALERT_FILE.exec(name)?.[1];
      if (number === undefined || (Number(number) >= oldest && Number(number) < this.state.next)) continue;
      rmSync(join(this.folder, name), { force: true });
    }
  }
}

function readState(path: string): State | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch {
    throw new SyntaxError(`${STATE} cannot be read; wanted one that Portolan wrote, or an empty folder to begin anew`);
  }
}

function writeDurably(path: string, text: string): void {
  const fd = openSync(path, "w", 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
