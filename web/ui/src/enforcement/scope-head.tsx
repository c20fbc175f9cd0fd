import type { AuditScope } from "../../../api/contract.js";
import { count, plural, shown } from "../format.js";
import { attemptsOf, coverageText, heardText, modeText } from "./enforcement-words.js";

/** What to do next, which is what most readers came for. */
function Judgement({ scope }: { scope: AuditScope }) {
  const open = scope.gates.filter(({ isMet }) => !isMet);
  const isDenying = scope.hosts.some(({ mode }) => mode === "deny");
  if (open.length > 0) {
    return (
      <div class="ready ready-not-enough-data">
        <strong class="warn">
          <span aria-hidden="true">✗</span> {isDenying ? "Denying, with open questions" : "Not ready for deny"}
        </strong>
        <p>{shown(open.map(({ name, value }) => `${name}: ${value}`).join(". "), 600)}.</p>
      </div>
    );
  }
  return (
    <div class="ready ready-ready-for-review">
      <strong>
        <span aria-hidden="true">✓</span> {isDenying ? "Denying, and nothing open" : "Ready for deny"}
      </strong>
      <p>
        {isDenying ? (
          "Every gate is met: what is dropped was decided on."
        ) : (
          <>
            Every gate is met. On a host that is ready: <code>portolan promote --scope {shown(scope.scope)}</code>.
          </>
        )}
      </p>
    </div>
  );
}

function Figure({ value, words, isWarning }: { value: string; words: string; isWarning?: boolean }) {
  return (
    <div class={isWarning === true ? "figure figure-open" : "figure"}>
      <dt>{words}</dt>
      <dd>
        {isWarning === true && <span aria-hidden="true">▲ </span>}
        {value}
      </dd>
    </div>
  );
}

/** A policy in five figures and one judgement. */
export function ScopeHead({ scope }: { scope: AuditScope }) {
  const { silentHostCount, silentHosts, tallies, hosts } = scope;
  const uncounted = hosts.reduce((sum, { unrecorded }) => sum + unrecorded, 0);
  return (
    <>
      <div class="scope-head">
        <div>
          <h2>
            Policy <em>{shown(scope.scope)}</em>, generation {count(scope.generation)}
          </h2>
          <p>
            {coverageText(scope)} {modeText(scope)}
          </p>
          {silentHostCount > 0 && (
            <p class="warn">
              ▲ Silent: <bdi>{shown(silentHosts.slice(0, 20).join(", "), 1000)}</bdi>
              {silentHostCount > 20 && ` and ${plural(silentHostCount - 20, "host")} more`}
            </p>
          )}
        </div>
        <Judgement scope={scope} />
      </div>
      <dl class="figures">
        <Figure value={count(attemptsOf(scope, "audited"))} words="attempts that deny would have dropped" />
        <Figure value={count(attemptsOf(scope, "denied"))} words="attempts that were denied" />
        <Figure value={count(tallies.new.edges)} words="edges never counted before" isWarning={tallies.new.edges > 0} />
        <Figure value={heardText(scope)} words="hosts that were heard of" isWarning={silentHostCount > 0} />
        <Figure value={count(uncounted)} words="attempts without an edge" isWarning={uncounted > 0} />
      </dl>
    </>
  );
}
