import type { AuditScope } from "../../../api/contract.js";
import { count, plural, shown, time } from "../format.js";
import { Gates } from "../shell/gates.js";
import { PlainTable } from "../shell/plain-table.js";
import { DeniedEdges } from "./denied-edges.js";
import { signersText, trustText } from "./enforcement-words.js";
import { ScopeHead } from "./scope-head.js";

type ReachFigures = NonNullable<AuditScope["reach"]>["flat"];

const HOST_COLUMNS = ["Host", "State", "Since", "Generation", "Last report", "Not counted", "Reports missing"];

function Hosts({ scope }: { scope: AuditScope }) {
  const { hosts, hostCount } = scope;
  return (
    <>
      <h3>
        Hosts <span class="tab-count">{count(hostCount)}</span>
      </h3>
      {hosts.length === 0 ? (
        <p>No enforcer reported in this span.</p>
      ) : (
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

const REACH_ROWS: readonly (readonly [words: string, figure: (figures: ReachFigures) => string])[] = [
  ["Open (source, service) cells", ({ cells }) => count(cells)],
  ["Share of cells that are closed", ({ segmentedness }) => `${(100 * segmentedness).toFixed(1)} %`],
  ["Hosts a workload reaches directly, mean", ({ direct }) => direct.toFixed(1)],
  ["Hosts it reaches in any number of steps, mean", ({ transitive }) => transitive.toFixed(1)],
  ["The same, 95th percentile", ({ transitive95 }) => count(transitive95)],
];

function Reach({ scope: { scope, reach } }: { scope: AuditScope }) {
  if (reach === undefined) return <p>Not known: no readable policy was published.</p>;
  const { services, observed, sources, workloads, flat, policy } = reach;
  return (
    <>
      <p>
        What a workload, or whoever takes it over, can open: {plural(services, "service")} answered somebody, and{" "}
        {count(observed)} (source, service) cells were really used.
        {sources < workloads && ` Counted from ${count(sources)} of ${plural(workloads, "workload")}.`}
      </p>
      <PlainTable label={`Reach under ${scope}`} columns={["Measure", "Without policy", "With it"]}>
        {REACH_ROWS.map(([words, figure]) => (
          <tr key={words}>
            <th scope="row">{words}</th>
            <td class="number">{figure(flat)}</td>
            <td class="number">{figure(policy)}</td>
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
      <ScopeHead scope={scope} />
      <Gates gates={scope.gates} />
      <DeniedEdges scope={scope} />
      <Hosts scope={scope} />
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
      <h3>Reach, before and after</h3>
      <Reach scope={scope} />
    </section>
  );
}
