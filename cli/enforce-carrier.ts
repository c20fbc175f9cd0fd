import { setTimeout as wait } from "node:timers/promises";
import { followCarrier } from "../enforcer/follow-carrier.js";
import type { HostEnforcer } from "../enforcer/host-enforcer.js";
import { flushReports, sendHeartbeat } from "../enforcer/tell-carrier.js";
import { HEARTBEAT_EVERY_MS } from "../model/sensor-heartbeat.js";
import type { Carrier } from "../stream/carrier.js";
import { VERSION } from "./version.js";

const FLUSH_EVERY_MS = 1000;
const RETRY_EVERY_MS = 5000;
const LAST_WITHIN_MS = 2000;

/**
 * Ties an enforcer to a carrier for as long as `signal` lasts. A carrier that cannot be reached is tried again and again:
 * what is in force does not wait for it, and reports are kept.
 */
export async function tieToCarrier(
  connect: () => Promise<Carrier>,
  enforcer: HostEnforcer,
  withInventory: boolean,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let carrier: Carrier | undefined;
  let told = "";
  while (carrier === undefined) {
    if (signal.aborted) return;
    try {
      carrier = await connect();
      await followCarrier(carrier, enforcer, { withInventory, say });
      say("following portolan.policies");
    } catch (error) {
      await carrier?.close().catch(() => {});
      carrier = undefined;
      const text = (error as Error).message;
      if (text !== told) say(`${text}; trying again`);
      told = text;
      await wait(RETRY_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }
  let beatMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      await flushReports(enforcer, carrier);
      if (performance.now() - beatMs >= HEARTBEAT_EVERY_MS) {
        await sendHeartbeat(enforcer, carrier, VERSION, false);
        beatMs = performance.now();
      }
      told = "";
    } catch (error) {
      const text = (error as Error).message;
      if (text !== told) say(`${text}; ${enforcer.reports().waiting} reports are kept`);
      told = text;
    }
    await wait(FLUSH_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  const last = async (open: Carrier) => {
    await flushReports(enforcer, open);
    await sendHeartbeat(enforcer, open, VERSION, true);
    await open.close();
  };
  // A broker that is gone is not waited for: reports are on disk, and leases run out by themselves.
  await Promise.race([last(carrier).catch(() => {}), wait(LAST_WITHIN_MS)]);
}
