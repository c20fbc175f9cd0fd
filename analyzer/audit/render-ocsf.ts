import { createHash } from "node:crypto";
import { hasPorts, parseProtocol } from "../../model/protocol.js";
import type { AuditEdge } from "./audit-report.js";

/** The schema that the events follow: OCSF 1.4.0, class Network Activity, with the profile Security Control. */
export const OCSF_VERSION = "1.4.0";
const NETWORK_ACTIVITY = 4001;

const OPEN = 1; // activity: a connection was opened
const REFUSE = 5; // activity: an attempt to open one was refused
const DENIED = 2; // action
const OBSERVED = 3; // action: neither allowed nor denied by the control
const BLOCKED = 2; // disposition
const LOGGED = 17; // disposition

const SEVERITIES = { new: 3, known: 2, accepted: 1 } as const; // medium, low, informational

const ms = (timeUs: number) => Math.floor(timeUs / 1000);

function endpoint({ address, name }: AuditEdge["client"], port?: number): object {
  return { ip: address, name, ...(port === undefined ? {} : { port }) };
}

/**
 * One edge as OCSF events: one for the attempts that were let through in audit mode and one for those that were denied.
 * `version` is Portolan's. The uid depends on what the event says alone, so that a receiver can drop repetitions.
 */
export function ocsfEvents(edge: AuditEdge, generation: number, version: string): object[] {
  const protocol = parseProtocol(edge.protocol);
  const uid = (verdict: string, count: number) =>
    createHash("sha256")
      .update(JSON.stringify([edge.scope, edge.direction, edge.client, edge.server, protocol, edge.port]))
      .update(JSON.stringify([verdict, count, edge.lastUs]))
      .digest("hex")
      .slice(0, 32);
  const event = (count: number, verdict: "audited" | "denied") => {
    const activity = verdict === "denied" ? REFUSE : OPEN;
    return {
      metadata: {
        version: OCSF_VERSION,
        product: { name: "Portolan", vendor_name: "Portolan", version },
        profiles: ["security_control"],
        uid: uid(verdict, count),
      },
      category_uid: 4,
      class_uid: NETWORK_ACTIVITY,
      activity_id: activity,
      type_uid: NETWORK_ACTIVITY * 100 + activity,
      severity_id: SEVERITIES[edge.standing],
      time: ms(edge.lastUs),
      start_time: ms(edge.firstUs),
      end_time: ms(edge.lastUs),
      count,
      status_id: verdict === "denied" ? 2 : 1,
      action_id: verdict === "denied" ? DENIED : OBSERVED,
      disposition_id: verdict === "denied" ? BLOCKED : LOGGED,
      policy: { name: edge.scope, version: String(generation) },
      src_endpoint: endpoint(edge.client),
      dst_endpoint: endpoint(edge.server, hasPorts(protocol) ? edge.port : undefined),
      connection_info: {
        direction_id: edge.direction === "ingress" ? 1 : 2,
        protocol_num: protocol,
        protocol_name: edge.protocol,
      },
      unmapped: {
        standing: edge.standing,
        hosts: edge.hosts,
        ...(hasPorts(protocol) ? {} : { point: edge.port }),
        ...(edge.acceptance === undefined ? {} : { accepted_by: edge.acceptance.by, note: edge.acceptance.note }),
      },
    };
  };
  return [
    ...(edge.audited > 0 ? [event(edge.audited, "audited")] : []),
    ...(edge.denied > 0 ? [event(edge.denied, "denied")] : []),
  ];
}

/** Every edge of every scope, one event a line. */
export function renderOcsf(
  scopes: readonly { readonly generation: number; readonly edges: readonly AuditEdge[] }[],
  version: string,
): string {
  return scopes
    .flatMap(({ generation, edges }) => edges.flatMap((edge) => ocsfEvents(edge, generation, version)))
    .map((event) => `${JSON.stringify(event)}\n`)
    .join("");
}
