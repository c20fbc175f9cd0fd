import { formatProtocol } from "../../model/protocol.js";
import { OCSF_VERSION, ocsfEvents } from "../audit/render-ocsf.js";
import type { Alert, EdgeAlert } from "./alert.js";
import { alertText } from "./syslog-line.js";

const SEVERITIES = { more: 3, gap: 4 } as const; // medium, high

function edgeEvent(alert: EdgeAlert, version: string): object {
  const { verdict, attempts, protocol, host, beforeUs, firstUs } = alert;
  const counted = {
    ...alert,
    protocol: formatProtocol(protocol),
    audited: verdict === "audited" ? attempts : 0,
    denied: verdict === "denied" ? attempts : 0,
    hosts: [host],
    everFirstUs: beforeUs ?? firstUs,
    standing: "new" as const,
    examples: [],
  };
  const [event] = ocsfEvents(counted, alert.generation, version);
  return event as object;
}

/**
 * The body of a webhook: OCSF's Network Activity for an edge, and its Base Event for what concerns no single one. The uid
 * is the alert's, so that a receiver can drop what comes twice.
 */
export function alertOcsf(alert: Alert, version: string): string {
  const metadata = {
    version: OCSF_VERSION,
    product: { name: "Portolan", vendor_name: "Portolan", version },
    uid: alert.uid,
  };
  const message = alertText(alert);
  if (alert.kind === "edge") {
    const event = edgeEvent(alert, version);
    return JSON.stringify({
      ...event,
      metadata: { ...metadata, profiles: ["security_control"] },
      message,
      is_alert: true,
    });
  }
  const { kind, uid: _, atUs, ...told } = alert;
  return JSON.stringify({
    metadata,
    category_uid: 0,
    class_uid: 0,
    activity_id: 99,
    activity_name: kind,
    type_uid: 99,
    severity_id: SEVERITIES[kind],
    time: Math.floor(atUs / 1000),
    message,
    unmapped: told,
  });
}
