import type { AuditAnswer } from "../../../api/contract.js";
import { count, plural, shown } from "../format.js";
import { PlainTable } from "../shell/plain-table.js";
import { formatPlace, go, place } from "../state/location.js";
import { attemptsOf, heardText } from "./enforcement-words.js";

const COLUMNS = ["Policy", "Hosts heard", "In deny", "Would be dropped", "Denied", "New edges", "Gates met"];

/** Every policy in a row, so that the one to look at first is seen at once; the chosen one stands below. */
export function PolicyIndex({ answer, chosen }: { answer: AuditAnswer; chosen: string | undefined }) {
  const { scopes, scopeCount } = answer;
  return (
    <div class="scope policies">
      <h2>
        {plural(scopeCount, "policy", "policies")}
        {scopes.length < scopeCount && `, of which the first ${count(scopes.length)} are listed`}
      </h2>
      <PlainTable label="Policies" columns={COLUMNS}>
        {scopes.map((scope) => {
          const { new: fresh } = scope.tallies;
          const met = scope.gates.filter(({ isMet }) => isMet).length;
          return (
            <tr key={scope.scope} class={scope.scope === chosen ? "chosen" : undefined}>
              <th scope="row">
                <a
                  href={formatPlace({ ...place.value, item: scope.scope })}
                  aria-current={scope.scope === chosen ? "true" : undefined}
                  onClick={(event) => {
                    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                    event.preventDefault();
                    go({ item: scope.scope });
                  }}
                >
                  <bdi>{shown(scope.scope)}</bdi>
                </a>
              </th>
              <td class={scope.silentHostCount > 0 ? "number warn" : "number"}>{heardText(scope)}</td>
              <td class="number">{count(scope.hosts.filter(({ mode }) => mode === "deny").length)}</td>
              <td class="number">{count(attemptsOf(scope, "audited"))}</td>
              <td class="number">{count(attemptsOf(scope, "denied"))}</td>
              <td class={fresh.edges > 0 ? "number warn" : "number"}>{count(fresh.edges)}</td>
              <td class={met < scope.gates.length ? "number warn" : "number gate-met"}>
                {met} of {scope.gates.length}
              </td>
            </tr>
          );
        })}
      </PlainTable>
    </div>
  );
}
