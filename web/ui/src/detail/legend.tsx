import { parseGraphQuery } from "../../../../model/graph-query.js";
import { count, plural, shown } from "../format.js";
import { StateLine } from "../shell/state-mark.js";
import { STATE_STYLES } from "../state/edge-states.js";
import { go, place } from "../state/location.js";
import { overview, shownMap } from "../state/views.js";

/** A query to which more conditions can be added: only alternatives need parentheses. */
function wrapped(q: string): string {
  try {
    return parseGraphQuery(q).kind === "or" ? `(${q})` : q;
  } catch {
    return `(${q})`;
  }
}

/** How to read the chart, with the figures of the query; each state is a filter. */
export function Legend() {
  const map = shownMap.value;
  const counts = map?.counts;
  const { q } = place.value;
  const proposal = overview.value?.proposal;
  return (
    <article class="detail legend" aria-label="Legend">
      <header class="node-head">
        <p class="overline">{q === "" ? "everything seen" : "this query"}</p>
        <h2>{map === undefined ? "Legend" : `${plural(map.total.edges, "edge")}`}</h2>
      </header>
      <ul class="legend-states">
        {STATE_STYLES.map(({ state, word, meaning }) => (
          <li key={state}>
            <button
              type="button"
              onClick={() => go({ q: q === "" ? `state=${state}` : `${wrapped(q)} state=${state}` })}
              title={`Show only what is ${word}`}
            >
              <StateLine state={state} width={56} />
              <span>
                <strong>{word}</strong>
                <small>{meaning}</small>
              </span>
              <b>{counts === undefined ? "" : count(counts[state])}</b>
            </button>
            <button
              type="button"
              class="hide"
              aria-label={`Hide what is ${word}`}
              title={`Hide what is ${word}`}
              onClick={() => go({ q: q === "" ? `!state=${state}` : `${wrapped(q)} !state=${state}` })}
            >
              hide
            </button>
          </li>
        ))}
      </ul>
      <ul class="legend-marks">
        <li>
          <svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">
            <circle r="6" class="node" />
          </svg>{" "}
          workload
        </li>
        <li>
          <svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">
            <path d="M0-8L8 0 0 8-8 0z" class="group" />
          </svg>{" "}
          addresses without a workload
        </li>
        <li>
          <svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">
            <path d="M-8 2C-7-7 6-8 8-1 9 6-6 9-8 2z" class="island" />
          </svg>{" "}
          island: what belongs together
        </li>
      </ul>
      {map !== undefined && map.hubs.length > 0 && (
        <section>
          <h3>Called from everywhere</h3>
          <p class="quiet">
            Drawn as a numbered badge at each caller instead of as lines. Select one to see its lines.
          </p>
          <ol class="hubs">
            {map.hubs.map((hub, i) => (
              <li key={hub.mark}>
                <button type="button" onClick={() => go({ sel: `node:${hub.mark}` })}>
                  <span class="badge" aria-hidden="true">
                    {i + 1}
                  </span>
                  <bdi>{shown(hub.label)}</bdi>
                  <span class="quiet">{plural(hub.callers, "caller")}</span>
                </button>
              </li>
            ))}
          </ol>
          <button type="button" class="link" onClick={() => go({ hubs: "links" })}>
            Draw them as lines
          </button>
        </section>
      )}
      {place.value.hubs === "links" && (
        <button type="button" class="link" onClick={() => go({ hubs: "badges" })}>
          Draw what everybody calls as badges
        </button>
      )}
      {proposal !== undefined && (
        <section>
          <h3>Proposal</h3>
          <p>{shown(proposal.stateReason, 400)}</p>
          <button type="button" class="link" onClick={() => go({ page: "proposals", item: "" })}>
            {proposal.rules === 0 ? "Open the proposal" : `Review ${plural(proposal.rules, "rule")}`}
          </button>
        </section>
      )}
    </article>
  );
}
