import type { AuditEdge, AuditScope } from "../../../api/contract.js";
import { count, plural, shown, time } from "../format.js";
import { Gates } from "../shell/gates.js";
import { PlainTable } from "../shell/plain-table.js";
import {
  coverageText,
  edgeService,
  endText,
  exampleText,
  modeText,
  signersText,
  standingText,
  tallyText,
  trustText,
} from "./enforcement-words.js";

const EDGE_COLUMNS = ["Client", "Server", "Service", "At", "Attempts", "First", "Last", "Standing", "Examples"];

function EdgeTable({ label, edges, of }: { label: string; edges: readonly AuditEdge[]; of: "audited" | "denied" }) {
  return (
    <PlainTable label={label} columns={EDGE_COLUMNS}>
      {edges.map((edge) => (
        <tr key={`${edge.direction} ${edge.client.address} ${edge.server.address} ${edge.protocol} ${edge.port}`}>
          <th scope="row">
            <bdi>{shown(endText(edge.client))}</bdi>
          </th>
          <td>
            <bdi>{shown(endText(edge.server))}</bdi>
          </td>
          <td class="short">
            <code>{shown(edgeService(edge))}</code>
          </td>
          <td>{edge.direction === "ingress" ? "server" : "client"}</td>
          <td class="number">{count(edge[of])}</td>
          <td class="short">{time(edge.firstUs)}</td>
          <td class="short">{time(edge.lastUs)}</td>
          <td class={edge.standing === "new" ? "warn" : undefined}>
            <bdi>{shown(standingText(edge), 400)}</bdi>
          </td>
          <td>
            <bdi>{shown(exampleText(edge), 400)}</bdi>
          </td>
        </tr>
      ))}
    </PlainTable>
  );
}

function Edges({ scope }: { scope: AuditScope }) {
  const { edges, edgeCount, tallies } = scope;
  const audited = edges.filter((edge) => edge.audited > 0);
  const denied = edges.filter((edge) => edge.denied > 0);
  const sum = (of: "audited" | "denied") => tallies.new[of] + tallies.known[of] + tallies.accepted[of];
  const hidden = edgeCount - edges.length;
  return (
    <>
      <h3>Edges that no rule permits</h3>
      <p>
        {tallyText(scope)}
        {hidden > 0 && ` ${plural(hidden, "edge")} more, accepted or seldom: the downloads have them all.`}
      </p>
      <h3>
        What deny would have dropped <span class="tab-count">{count(sum("audited"))}</span>
      </h3>
      {audited.length === 0 ? (
        <p>Nothing: everything that was seen is permitted, or was denied.</p>
      ) : (
        <EdgeTable label={`What ${scope.scope} would have dropped`} edges={audited} of="audited" />
      )}
      <h3>
        What was denied <span class="tab-count">{count(sum("denied"))}</span>
      </h3>
      {denied.length === 0 ? (
        <p>Nothing.</p>
      ) : (
        <EdgeTable label={`What ${scope.scope} denied`} edges={denied} of="denied" />
      )}
    </>
  );
}

const HOST_COLUMNS = ["Host", "State", "Since", "Generation", "Last report", "Not counted", "Reports missing"];

function Hosts({ scope }: { scope: AuditScope }) {
  const { hosts, silentHosts, silentHostCount } = scope;
  return (
    <>
      <h3>Hosts</h3>
      <p>
        {coverageText(scope)} {modeText(scope)}
      </p>
      {silentHostCount > 0 && (
        <p class="warn">
          ▲ Silent: <bdi>{shown(silentHosts.slice(0, 20).join(", "), 1000)}</bdi>
          {silentHostCount > 20 && ` and ${plural(silentHostCount - 20, "host")} more`}
        </p>
      )}
      {hosts.length > 0 && (
        <PlainTable label={`Hosts of ${scope.scope}`} columns={HOST_COLUMNS}>
          {hosts.map((host) => (
            <tr key={`${host.host} ${host.enforcer}`}>
              <th scope="row">
                <bdi>{shown(host.host)}</bdi>
              </th>
              <td>{host.state === host.mode ? host.mode : shown(`${host.state}, in ${host.mode} mode`)}</td>
              <td class="short">{time(host.modeSinceUs)}</td>
              <td class="number">{count(host.generation)}</td>
              <td class="short">{time(host.lastReportUs)}</td>
              <td class={host.unrecorded > 0 ? "number warn" : "number"}>{count(host.unrecorded)}</td>
              <td class={host.missingReports > 0 ? "number warn" : "number"}>{count(host.missingReports)}</td>
            </tr>
          ))}
        </PlainTable>
      )}
    </>
  );
}

function Approvals({ scope }: { scope: AuditScope }) {
  const { approvals, approvalCount } = scope;
  if (approvals.length === 0) return <p>No policy of this name was published.</p>;
  return (
    <>
      {approvals.length < approvalCount && (
        <p>
          The newest {count(approvals.length)} of {count(approvalCount)}.
        </p>
      )}
      <PlainTable
        label={`Approvals of ${scope.scope}`}
        columns={["Entry", "Generation", "Received", "Vouched for by", "Signatures", "Valid until"]}
      >
        {approvals.map((approval) => (
          <tr key={approval.entry}>
            <td class="number">{count(approval.entry)}</td>
            <td class="number">{approval.generation === undefined ? "unknown" : count(approval.generation)}</td>
            <td class="short">{time(approval.receivedUs)}</td>
            <td>
              <bdi>{shown(signersText(approval), 400)}</bdi>
            </td>
            <td class={approval.trust.kind === "verified" ? "gate-met" : "warn"}>
              <bdi>{shown(trustText(approval), 400)}</bdi>
            </td>
            <td class="short">{shown(approval.expires ?? "unknown")}</td>
          </tr>
        ))}
      </PlainTable>
    </>
  );
}

/** One policy set: how far it is, what it would break, and who answers for it. */
export function ScopeSection({ scope }: { scope: AuditScope }) {
  const { unusedRules, unusedRuleCount } = scope;
  return (
    <section class="scope" aria-label={`Policy ${scope.scope}`}>
      <h2>
        Policy <em>{shown(scope.scope)}</em>, generation {count(scope.generation)}
      </h2>
      <Gates gates={scope.gates} />
      <Hosts scope={scope} />
      <Edges scope={scope} />
      <h3>
        Rules that nobody used <span class="tab-count">{count(unusedRuleCount)}</span>
      </h3>
      {unusedRules.length === 0 ? (
        <p>None, as far as the published policy says.</p>
      ) : (
        <PlainTable label={`Rules of ${scope.scope} that nobody used`} columns={["Rule", "Why it is there"]}>
          {unusedRules.map(({ rule, reason }) => (
            <tr key={rule}>
              <th scope="row">
                <bdi>{shown(rule)}</bdi>
              </th>
              <td>
                <bdi>{shown(reason, 400)}</bdi>
              </td>
            </tr>
          ))}
        </PlainTable>
      )}
      <h3>Approvals</h3>
      <Approvals scope={scope} />
    </section>
  );
}
