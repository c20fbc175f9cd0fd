import type { ComponentChildren } from "preact";
import type { EdgesAnswer, FlowSample, Node } from "../../../api/contract.js";
import { bytes, count, plural, shown, time } from "../format.js";
import { ProblemNotice } from "../shell/notice.js";
import { StateLine } from "../shell/state-mark.js";
import { go } from "../state/location.js";
import { useResource } from "../state/resource.js";

export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function CloseButton() {
  return (
    <button
      type="button"
      class="close"
      aria-label="Close the details"
      title="Close (Esc)"
      onClick={() => go({ sel: "" })}
    >
      ×
    </button>
  );
}

/** A node's name that selects it; where it stands is said beneath. */
export function NodeLink({ node }: { node: Node }) {
  return (
    <button type="button" class="node-link" onClick={() => go({ sel: `node:${node.id}` })}>
      <bdi>{shown(node.label)}</bdi>
      <small>{node.namespace === undefined ? "addresses without a workload" : shown(node.namespace)}</small>
    </button>
  );
}

export function Samples({ samples }: { samples: readonly FlowSample[] }) {
  if (samples.length === 0) return <p class="quiet">No sample flow is kept.</p>;
  return (
    <ul class="samples">
      {samples.map((sample) => (
        <li key={`${sample.startUs} ${sample.client} ${sample.clientPort}`}>
          <code>
            {shown(sample.client)}:{sample.clientPort} → {shown(sample.server)}:{sample.serverPort}
          </code>
          <span>
            <time>{time(sample.startUs)}</time> · {bytes(sample.clientBytes)} sent, {bytes(sample.serverBytes)} back ·
            seen by {shown(sample.observer)}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** At most this many edges stand in a panel; the table has the rest. */
const LISTED = 60;

/** The edges of a query, each of which opens its evidence. */
export function EdgeList({ url, empty }: { url: string; empty: string }) {
  const resource = useResource<EdgesAnswer>(`${url}&limit=${LISTED}`);
  if (resource.kind === "failed") return <ProblemNotice problem={resource.problem} />;
  if (resource.data === undefined) return <p class="quiet">Reading…</p>;
  const { edges, total } = resource.data;
  if (total === 0) return <p class="quiet">{empty}</p>;
  return (
    <>
      <ul class="edge-list">
        {edges.map((edge) => {
          const flows = edge.flows.answered + edge.flows.refused + edge.flows.unanswered + edge.flows.midstream;
          return (
            <li key={edge.id}>
              <button type="button" onClick={() => go({ sel: `edge:${edge.id}` })}>
                <StateLine state={edge.state} width={38} />
                <span class="edge-ends">
                  <bdi>{shown(edge.clientLabel)}</bdi> → <bdi>{shown(edge.serverLabel)}</bdi>
                  <span class="visually-hidden">, {edge.state}</span>
                </span>
                <code>
                  {shown(edge.protocol)}/{edge.port}
                </code>
                <span class="quiet">{count(flows)}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {total > edges.length && (
        <p class="quiet">{plural(total - edges.length, "more edge")}: open the table to see all.</p>
      )}
    </>
  );
}
