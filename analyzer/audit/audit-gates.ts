import type { ReadinessGate, SensorGap } from "../proposal.js";
import type { AuditScope } from "./audit-report.js";

type Told = Omit<AuditScope, "gates" | "reach">;

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** What has to hold before deny is worth trying, measured on what enforcers reported in the span. */
export function auditGates(scope: Told, gaps: readonly SensorGap[]): ReadinessGate[] {
  const { hosts, expectedHosts, silentHosts, edges, approvals } = scope;
  const unrecorded = sum(hosts.map((host) => host.unrecorded));
  const missing = sum(hosts.map((host) => host.missingReports));
  const open = (standing: "new" | "known") => edges.filter((edge) => edge.standing === standing).length;
  const [newest] = approvals;
  const gate = (name: string, isMet: boolean, value: string, wanted: string): ReadinessGate => ({
    name,
    isMet,
    value,
    wanted,
  });
  return [
    gate(
      "every host reports",
      expectedHosts.length > 0 && silentHosts.length === 0,
      expectedHosts.length === 0
        ? "no published policy says which hosts"
        : `${expectedHosts.length - silentHosts.length} of ${expectedHosts.length}`,
      "all that the policy isolates",
    ),
    gate("no report is missing", hosts.length > 0 && missing === 0, `${missing} missing`, "0"),
    gate("every attempt is counted", hosts.length > 0 && unrecorded === 0, `${unrecorded} without an edge`, "0"),
    gate("nothing new would be denied", open("new") === 0, `${open("new")} new edges`, "0"),
    gate("every denial was decided on", open("known") === 0, `${open("known")} known edges without a decision`, "0"),
    gate("sensors saw everything", gaps.length === 0, `${gaps.length} gaps in the span`, "0"),
    gate(
      "the policy's signatures hold",
      newest?.trust.kind === "verified",
      newest === undefined
        ? "no policy was published"
        : newest.trust.kind === "refused"
          ? newest.trust.reason
          : newest.trust.kind === "unchecked"
            ? "not checked: no keyring was given"
            : newest.signatures.map(({ role, person }) => `${role} ${person}`).join(", "),
      "author, approver and signer of the keyring",
    ),
  ];
}
