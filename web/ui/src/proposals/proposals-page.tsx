import type { ProposalAnswer } from "../../../api/contract.js";
import { count, duration, plural, shown, time } from "../format.js";
import { Gates } from "../shell/gates.js";
import { Notice, ProblemNotice } from "../shell/notice.js";
import { go, place } from "../state/location.js";
import { refresh, useResource } from "../state/resource.js";
import { BundleView } from "./bundle-view.js";
import { Exclusions } from "./exclusions.js";
import { RuleReview } from "./rule-review.js";

type Proposal = ProposalAnswer["proposal"];

const STATE_WORDS: Readonly<Record<Proposal["state"], readonly [string, string]>> = {
  "ready-for-review": ["✓", "Ready for review"],
  learning: ["…", "Learning"],
  "not-enough-data": ["?", "Not enough data"],
};

/** The proposal under review: how far it is, its rules with their evidence, what it leaves out, and the files to apply. */
export function ProposalsPage() {
  const resource = useResource<ProposalAnswer>("/api/proposal");
  const { tab } = place.value;
  if (resource.kind === "failed" && resource.data === undefined) {
    return (
      <main class="sheet" id="main" tabIndex={-1}>
        <h1>Proposals</h1>
        <ProblemNotice problem={resource.problem} onRetry={() => refresh.value++} />
      </main>
    );
  }
  if (resource.data === undefined) {
    return (
      <main class="sheet" id="main" tabIndex={-1}>
        <h1>Proposals</h1>
        <Notice title="Reading the proposal…" />
      </main>
    );
  }
  const { proposal, targets } = resource.data;
  const { rules } = proposal.policySet;
  const [sign, word] = STATE_WORDS[proposal.state];
  const flows = rules.reduce((sum, rule) => sum + (rule.evidence?.flows ?? 0), 0);
  const widenings = rules.reduce((sum, rule) => sum + rule.widenings.length, 0);
  const tabs: readonly (readonly [string, string, number | undefined])[] = [
    ["rules", "Rules", rules.length],
    ["excluded", "Excluded", proposal.exclusions.length],
    ["coverage", "Coverage", proposal.gaps.length + proposal.openWorkloads.length],
    ["files", "Files", undefined],
  ];
  const current = tabs.some(([name]) => name === tab) ? tab : "rules";
  return (
    <main class="sheet proposals" id="main" tabIndex={-1}>
      <header class="sheet-head">
        <div>
          <h1>
            Proposal <em>{shown(proposal.policySet.name)}</em>
          </h1>
          <p class="lead">
            {proposal.fromUs < proposal.untilUs && (
              <>
                From {duration(proposal.untilUs - proposal.fromUs)} of traffic, {time(proposal.fromUs)} to{" "}
                {time(proposal.untilUs)} UTC:{" "}
              </>
            )}
            {plural(rules.length, "rule")} with {plural(flows, "flow")} of evidence
            {widenings === 0 ? ", none wider than seen." : `, ${plural(widenings, "widening")} beyond what was seen.`}
          </p>
        </div>
        <div class={`ready ready-${proposal.state}`}>
          <strong>
            <span aria-hidden="true">{sign}</span> {word}
          </strong>
          <p>{shown(proposal.stateReason, 400)}</p>
        </div>
        <Gates gates={proposal.gates} />
      </header>
      <div class="tabs" role="tablist" aria-label="Parts of the proposal">
        {tabs.map(([name, title, number]) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={current === name}
            aria-controls="tab-panel"
            tabIndex={current === name ? 0 : -1}
            onClick={() => go({ tab: name, item: "" })}
            onKeyDown={(event) => {
              const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
              if (step === 0) return;
              const next =
                tabs[(tabs.findIndex(([other]) => other === name) + step + tabs.length) % tabs.length]?.[0] ?? name;
              go({ tab: next, item: "" });
              document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {title}
            {number !== undefined && <span class="tab-count">{count(number)}</span>}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${current}`} class="tab-panel">
        {current === "rules" && <RuleReview rules={rules} isolations={proposal.policySet.isolations.length} />}
        {current === "excluded" && <Exclusions exclusions={proposal.exclusions} />}
        {current === "coverage" && <Coverage proposal={proposal} />}
        {current === "files" && <BundleView targets={targets} />}
      </div>
    </main>
  );
}

function Coverage({ proposal }: { proposal: Proposal }) {
  return (
    <div class="columns">
      <section>
        <h2>What sensors missed</h2>
        {proposal.gaps.length === 0 ? (
          <p>No sensor reported a loss in the time that this proposal covers.</p>
        ) : (
          <ul class="cards">
            {proposal.gaps.map((gap) => (
              <li key={`${gap.collector} ${gap.fromUs}`}>
                <h3>
                  <bdi>{shown(gap.collector)}</bdi>{" "}
                  <span class="warn">▲ {gap.lost === "unknown" ? "loss unknown" : plural(gap.lost, "packet")}</span>
                </h3>
                <p>{shown(gap.reason, 400)}</p>
                <p class="quiet">
                  {time(gap.fromUs)} to {time(gap.untilUs)} UTC
                </p>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section>
        <h2>Workloads left open</h2>
        {proposal.openWorkloads.length === 0 ? (
          <p>Every workload that was seen is isolated by this proposal.</p>
        ) : (
          <ul class="cards">
            {proposal.openWorkloads.map((open) => (
              <li key={open.workload}>
                <h3>
                  <bdi>{shown(open.workload)}</bdi>
                </h3>
                <p>{shown(open.reason, 400)}</p>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section>
        <h2>Roles</h2>
        {proposal.roles.length === 0 ? (
          <p>Every workload stands for itself.</p>
        ) : (
          <ul class="cards">
            {proposal.roles.map((role) => (
              <li key={role.name}>
                <h3>
                  <bdi>{shown(role.name)}</bdi>{" "}
                  <span class="quiet">
                    {plural(role.members.length, "member")}, by {role.basis === "single" ? "itself" : role.basis}
                  </span>
                </h3>
                <p class="quiet">
                  {shown(role.members.slice(0, 12).join(", "), 600)}
                  {role.members.length > 12 ? " …" : ""}
                </p>
              </li>
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}
