import { useEffect, useRef } from "preact/hooks";
import type { Rule, RuleAnswer } from "../../../api/contract.js";
import { Facts, Samples } from "../detail/parts.js";
import { count, plural, shown, time } from "../format.js";
import { Notice, ProblemNotice } from "../shell/notice.js";
import { StateLine } from "../shell/state-mark.js";
import { go, place } from "../state/location.js";
import { announce } from "../state/preferences.js";
import { useResource } from "../state/resource.js";
import { peerText, servicesText } from "./sentences.js";

function Confidence({ value }: { value: number }) {
  const percent = Math.round(value * 100);
  return (
    <span class="confidence">
      <svg width="64" height="8" viewBox="0 0 64 8" aria-hidden="true">
        <rect width="64" height="8" rx="4" class="track" />
        <rect width={Math.max(4, (64 * percent) / 100)} height="8" rx="4" class="fill" />
      </svg>
      {percent} % confidence
    </span>
  );
}

function Edges({ rule }: { rule: Rule }) {
  const resource = useResource<RuleAnswer>(`/api/proposal/rules/${encodeURIComponent(rule.id)}`);
  if (resource.kind === "failed") return <ProblemNotice problem={resource.problem} />;
  if (resource.data === undefined) return <p class="quiet">Reading…</p>;
  const { edges, edgeCount } = resource.data;
  if (edgeCount === 0) return <p class="quiet">No edge of the chart rests on this rule.</p>;
  return (
    <>
      <ul class="edge-list">
        {edges.slice(0, 20).map((edge) => (
          <li key={edge.id}>
            <button
              type="button"
              onClick={() =>
                go({ page: "explore", level: "workload", q: `rule=${rule.id}`, sel: `edge:${edge.id}`, at: undefined })
              }
            >
              <StateLine state={edge.state} width={38} />
              <span class="edge-ends">
                <bdi>{shown(edge.client.replace(/^[a-z]+:/, ""))}</bdi> →{" "}
                <bdi>{shown(edge.server.replace(/^[a-z]+:/, ""))}</bdi>
              </span>
              <code>
                {shown(edge.protocol)}/{edge.port}
              </code>
            </button>
          </li>
        ))}
      </ul>
      {edgeCount > 20 && <p class="quiet">{plural(edgeCount - 20, "more edge")}: see them on the map.</p>}
    </>
  );
}

function names(list: readonly string[], none: string): string {
  if (list.length === 0) return none;
  const head = list
    .slice(0, 8)
    .map((name) => shown(name))
    .join(", ");
  return list.length > 8 ? `${head} and ${count(list.length - 8)} more` : head;
}

const UNCOUNTABLE = 1e6; // an address range against another: the figure says nothing any more

function combinations(cells: number): string {
  return cells > UNCOUNTABLE ? "more than a million combinations" : `${plural(cells, "combination")} never seen`;
}

function RuleCard({ rule }: { rule: Rule }) {
  const { evidence } = rule;
  return (
    <article class="rule-card" aria-label={`Rule ${shown(rule.id)}`} data-rule={rule.id}>
      <header>
        <p class="overline">
          <code>{shown(rule.id)}</code>
        </p>
        <h2>
          <bdi>{peerText(rule.client)}</bdi> <span class="may">may open</span> <code>{servicesText(rule)}</code>{" "}
          <span class="may">to</span> <bdi>{peerText(rule.server)}</bdi>
        </h2>
        <p>{shown(rule.reason, 600)}</p>
        <p class="rule-actions">
          <Confidence value={rule.confidence} />
          <button
            type="button"
            class="button"
            onClick={() =>
              go({ page: "explore", view: "map", level: "workload", q: `rule=${rule.id}`, sel: "", at: undefined })
            }
          >
            Show on the map
          </button>
        </p>
      </header>
      <section>
        <h3>Wider than seen</h3>
        {rule.widenings.length === 0 ? (
          <p class="exact">
            <span aria-hidden="true">✓</span> Nothing: it permits exactly what was seen.
          </p>
        ) : (
          <ul class="widenings">
            {rule.widenings.map((widening) => (
              <li key={`${widening.kind} ${widening.text}`}>
                <strong>
                  <span aria-hidden="true">▲</span> {widening.kind}
                </strong>
                <span>{shown(widening.text, 500)}</span>
                <small>{combinations(widening.cells)}</small>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section>
        <h3>Evidence</h3>
        {evidence === undefined ? (
          <p class="warn">▲ No evidence: nobody observed this.</p>
        ) : (
          <>
            <Facts
              rows={[
                ["Flows answered", `${count(evidence.flows)} in ${plural(evidence.windows, "hour")}`],
                ["First seen", `${time(evidence.firstSeenUs)} UTC`],
                ["Last seen", `${time(evidence.lastSeenUs)} UTC`],
                ["Clients", names(evidence.clients, "none")],
                ["Servers", names(evidence.servers, "none")],
                ["Names", names(evidence.names, "none seen")],
                ["Observers", names(evidence.observers, "none")],
              ]}
            />
            <h4>Sample flows</h4>
            <Samples samples={evidence.samples} />
          </>
        )}
      </section>
      <section>
        <h3>Edges it permits</h3>
        <Edges rule={rule} />
      </section>
    </article>
  );
}

/** The rules as a list to walk with j and k, and the one under the cursor with all that supports it. */
export function RuleReview({ rules, isolations }: { rules: readonly Rule[]; isolations: number }) {
  const { item } = place.value;
  const list = useRef<HTMLDivElement>(null);
  const found = rules.findIndex((rule) => rule.id === item);
  const at = Math.max(0, found);
  const rule = rules[at];

  useEffect(() => {
    list.current?.querySelector(`[data-index="${at}"]`)?.scrollIntoView({ block: "nearest" });
  }, [at]);

  if (rule === undefined) {
    return (
      <Notice title="No rule is proposed yet">
        <p>
          Rules appear when answered flows have been seen for long enough. What was seen and left out stands under
          Excluded, with the reason.
        </p>
      </Notice>
    );
  }
  const move = (next: number) => {
    const target = rules[Math.max(0, Math.min(rules.length - 1, next))];
    if (target === undefined) return;
    go({ item: target.id }, "replace");
    announce(`${peerText(target.client)} may open ${servicesText(target)} to ${peerText(target.server)}`);
  };
  const keys: Record<string, () => void> = {
    j: () => move(at + 1),
    k: () => move(at - 1),
    ArrowDown: () => move(at + 1),
    ArrowUp: () => move(at - 1),
    Home: () => move(0),
    End: () => move(rules.length - 1),
  };
  return (
    <div class="review">
      <div class="review-side">
        {item !== "" && found < 0 && (
          <p class="warn">▲ The proposal has no rule “{shown(item, 80)}” any more; this is the first one.</p>
        )}
        <div
          ref={list}
          class="rule-list"
          role="listbox"
          aria-label={`${plural(rules.length, "rule")}, in ${plural(isolations, "isolation")}`}
          aria-activedescendant={`rule-${at}`}
          tabIndex={0}
          onKeyDown={(event) => {
            const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
            if (act === undefined) return;
            event.preventDefault();
            event.stopPropagation();
            act();
          }}
        >
          {rules.map((one, i) => (
            <div
              key={one.id}
              id={`rule-${i}`}
              data-index={i}
              role="option"
              aria-selected={i === at}
              tabIndex={-1}
              onClick={() => go({ item: one.id }, "replace")}
            >
              <span class="rule-ends">
                <bdi>{peerText(one.client)}</bdi>
                <span class="rule-arrow">
                  → <code>{servicesText(one)}</code>
                </span>
                <bdi>{peerText(one.server)}</bdi>
              </span>
              <span class="rule-marks">
                {one.widenings.length > 0 && (
                  <span class="warn">
                    <span aria-hidden="true">▲</span> {plural(one.widenings.length, "widening")}
                  </span>
                )}
                {one.evidence === undefined ? (
                  <span class="warn">no evidence</span>
                ) : (
                  <span class="quiet">{plural(one.evidence.flows, "flow")}</span>
                )}
                <span class="quiet">{Math.round(one.confidence * 100)} %</span>
              </span>
            </div>
          ))}
        </div>
      </div>
      <RuleCard key={rule.id} rule={rule} />
    </div>
  );
}
