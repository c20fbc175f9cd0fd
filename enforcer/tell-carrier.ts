import { encodeHeartbeat, HEARTBEAT_SCHEMA, HEARTBEAT_VERSION } from "../model/sensor-heartbeat.js";
import { VERDICT_REPORT_VERSION } from "../model/verdict-report.js";
import type { Carrier } from "../stream/carrier.js";
import type { HostEnforcer } from "./host-enforcer.js";

/** Header `schema` of a verdict report's message. */
const VERDICT_REPORT_SCHEMA = `portolan.verdict-report/${VERDICT_REPORT_VERSION}`;

/** Hands over the verdict reports that wait, in order, each as often as it takes. */
export function flushReports(enforcer: HostEnforcer, carrier: Carrier): Promise<void> {
  const { enforcer: key } = enforcer.identity();
  const headers = { schema: VERDICT_REPORT_SCHEMA };
  return enforcer.flush((value) => carrier.send("portolan.verdicts", { key, value, headers }));
}

/** Tells that this enforcer lives, and how many reports wait. `isLast`: nobody need miss it from now on. */
export async function sendHeartbeat(
  enforcer: HostEnforcer,
  carrier: Carrier,
  software: string,
  isLast: boolean,
): Promise<void> {
  const { enforcer: sensor, boot, startedUs } = enforcer.identity();
  const { waiting, bytes, lost } = enforcer.reports();
  const value = encodeHeartbeat({
    version: HEARTBEAT_VERSION,
    sensor,
    kind: "enforcer",
    boot,
    atUs: Date.now() * 1000,
    startedUs,
    software,
    interfaces: [],
    spool: { bytes, batches: waiting, lostBatches: lost, lostFlows: 0 },
    ...(isLast ? { ended: true } : {}),
  });
  await carrier.send("portolan.sensors", { key: sensor, value, headers: { schema: HEARTBEAT_SCHEMA } });
}
