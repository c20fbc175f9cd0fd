import { csvText } from "../../model/csv.js";
import { formatTimeUs } from "../../model/time-window.js";
import type { AuditReport } from "./audit-report.js";

const HEADER = [
  ...["scope", "standing", "direction", "client", "clientAddress", "server", "serverAddress", "protocol", "port"],
  ...["wouldBeDenied", "denied", "hosts", "firstSeen", "lastSeen", "acceptedBy", "note"],
];

/** Every edge of the report as one row; text that a spreadsheet would run is made inert. */
export function renderAuditCsv(report: AuditReport): string {
  const rows = report.scopes.flatMap(({ edges }) =>
    edges.map((edge) => [
      ...[edge.scope, edge.standing, edge.direction],
      ...[edge.client.name, edge.client.address, edge.server.name, edge.server.address, edge.protocol, edge.port],
      ...[edge.audited, edge.denied, edge.hosts.join(" "), formatTimeUs(edge.firstUs), formatTimeUs(edge.lastUs)],
      ...[edge.acceptance?.by ?? "", edge.acceptance?.note ?? ""],
    ]),
  );
  return csvText(HEADER, rows);
}
