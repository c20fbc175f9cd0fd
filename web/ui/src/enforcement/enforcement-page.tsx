import { useMemo } from "preact/hooks";
import type { AuditAnswer } from "../../../api/contract.js";
import { count, plural, shown, time } from "../format.js";
import { Notice, ProblemNotice } from "../shell/notice.js";
import { PlainTable } from "../shell/plain-table.js";
import { go, place, SPANS } from "../state/location.js";
import { refresh, useResource } from "../state/resource.js";
import { SPAN_WORDS, spanUntil } from "./enforcement-words.js";
import { PolicyIndex } from "./policy-index.js";
import { ScopeSection } from "./scope-section.js";

const DOWNLOADS = [
  ["report.html", "Report to print"],
  ["report.csv", "Edges as CSV"],
  ["report.json", "Report as JSON"],
  ["ocsf.jsonl", "Edges as OCSF events"],
] as const;

function SpanChoice() {
  return (
    <div class="choice" role="group" aria-label="Span of the report">
      {SPANS.map((span) => (
        <button
          key={span}
          type="button"
          class="button"
          aria-pressed={place.value.span === span}
          onClick={() => go({ span })}
        >
          {SPAN_WORDS[span][0]}
        </button>
      ))}
    </div>
  );
}

function Gaps({ answer }: { answer: AuditAnswer }) {
  const { gaps, gapCount } = answer;
  return (
    <section class="scope" aria-label="Gaps of sensors">
      <h2>What sensors missed</h2>
      {gaps.length === 0 ? (
        <p>No sensor reported a gap that touches this span.</p>
      ) : (
        <>
          <p>
            ▲ {plural(gapCount, "gap")} in what was seen
            {gaps.length < gapCount && `, of which the last ${count(gaps.length)} are listed`}.
          </p>
          <PlainTable label="Each gap" columns={["Sensor", "From", "Until", "Lost", "Reason"]}>
            {gaps.map((gap, i) => (
              <tr key={i}>
                <th scope="row">
                  <bdi>{gap.collector === "*" ? "any" : shown(gap.collector)}</bdi>
                </th>
                <td class="short">{gap.fromUs === 0 ? "unknown" : time(gap.fromUs)}</td>
                <td class="short">{gap.untilUs === 0 ? "unknown" : time(gap.untilUs)}</td>
                <td class="short">{gap.lost === "unknown" ? "unknown" : plural(gap.lost, "packet")}</td>
                <td>
                  <bdi>{shown(gap.reason, 400)}</bdi>
                </td>
              </tr>
            ))}
          </PlainTable>
        </>
      )}
    </section>
  );
}

/** What was denied, what would be, and whether that is all there was: the report on enforcement, as it stands now. */
export function EnforcementPage() {
  const { span, item } = place.value;
  const turn = refresh.value; // grows when the reader asks for what is new
  const { fromUs, untilUs } = useMemo(() => spanUntil(Date.now() * 1000, span), [span, turn]);
  const params = `from=${fromUs}&until=${untilUs}`;
  const resource = useResource<AuditAnswer>(`/api/audit?${params}`);
  const { data } = resource;
  const chosen = item === "" ? data?.scopes[0] : data?.scopes.find(({ scope }) => scope === item);
  return (
    <main class="sheet enforcement" id="main" tabIndex={-1}>
      <header class="sheet-head">
        <div>
          <h1>Enforcement</h1>
          <p class="lead">
            What was denied and what would be, {time(fromUs)} to {time(untilUs)} UTC, by the time at which reports were
            received.
          </p>
          <SpanChoice />
        </div>
        <ul class="downloads" aria-label="Downloads">
          {DOWNLOADS.map(([name, title]) => (
            <li key={name}>
              <a href={`/api/audit/${name}?${params}`} download={`portolan-${name}`}>
                {title}
              </a>
            </li>
          ))}
        </ul>
      </header>
      {resource.kind === "failed" && <ProblemNotice problem={resource.problem} onRetry={() => refresh.value++} />}
      {data === undefined && resource.kind === "loading" && <Notice title="Reading the audit trail…" />}
      {data !== undefined && data.scopes.length === 0 && (
        <Notice title="No policy is being enforced here">
          <p>
            No enforcer reported in this span and no policy was published. Approve and sign a proposal, run{" "}
            <code>portolan enforce</code> on the hosts with the same <code>--kafka</code> as this analyzer, or choose a
            longer span.
          </p>
        </Notice>
      )}
      {data !== undefined && data.scopes.length > 0 && (
        <>
          {data.scopeCount > 1 && <PolicyIndex answer={data} chosen={chosen?.scope} />}
          {chosen === undefined ? (
            <Notice title="This policy is not listed">
              <p>
                No enforcer of <bdi>{shown(item)}</bdi> reported in this span and none was published under this name:
                choose a longer span, or one of the policies above.
              </p>
            </Notice>
          ) : (
            <ScopeSection key={chosen.scope} scope={chosen} />
          )}
          <Gaps answer={data} />
          <p class="quiet">
            {data.chain.first === undefined
              ? "No entry of the audit trail came in this span."
              : `Rests on entries ${data.chain.first} to ${data.chain.last} of the audit trail.`}{" "}
            Last link: <code>{data.chain.head}</code>. Note it elsewhere: whoever changes an entry afterwards changes it
            too.
          </p>
        </>
      )}
    </main>
  );
}
