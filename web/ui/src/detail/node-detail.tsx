import type { Node } from "../../../api/contract.js";
import { plural, shown } from "../format.js";
import { ProblemNotice } from "../shell/notice.js";
import { go, place, viewParams } from "../state/location.js";
import { useResource } from "../state/resource.js";
import { islandCondition } from "../state/selection.js";
import { CloseButton, EdgeList, Facts } from "./parts.js";

const MEMBERS_SHOWN = 12;

function edgesUrl(end: "src" | "dst", id: string): string {
  const params = new URLSearchParams(viewParams.value);
  const base = params.get("q") ?? "";
  const own = `${end}="${id.replace(/["\\]/g, "\\$&")}"`;
  params.set("q", base === "" ? own : `(${base}) ${own}`);
  return `/api/edges?${params}`;
}

/** A node: what it is, whom it calls and who calls it. */
export function NodeDetail({ id }: { id: string }) {
  const resource = useResource<{ node: Node }>(`/api/nodes/${encodeURIComponent(id)}?level=${place.value.level}`);
  if (resource.kind === "failed") {
    return (
      <article class="detail" aria-label="Node">
        <CloseButton />
        <ProblemNotice problem={resource.problem} />
      </article>
    );
  }
  if (resource.data === undefined)
    return (
      <article class="detail">
        <p class="quiet">Reading…</p>
      </article>
    );
  const { node } = resource.data;
  const labels = Object.entries(node.labels);
  const kind = node.kind === "group" ? "addresses without a workload" : node.kind;
  return (
    <article class="detail" aria-label="Node" data-node={node.id}>
      <CloseButton />
      <header class="node-head">
        <p class="overline">{kind}</p>
        <h2>
          <bdi>{shown(node.label)}</bdi>
        </h2>
      </header>
      <Facts
        rows={[
          ...(node.namespace === undefined ? [] : [["Namespace", shown(node.namespace)] as const]),
          [
            node.kind === "group" ? "Addresses" : "Workloads",
            plural(
              node.memberCount,
              node.kind === "group" ? "address" : "workload",
              node.kind === "group" ? "addresses" : "workloads",
            ),
          ],
          [
            "Labels",
            labels.length === 0 ? (
              "none"
            ) : (
              <ul key="labels" class="labels">
                {labels.map(([key, value]) => (
                  <li key={key}>
                    <code>
                      {shown(key)}={shown(value)}
                    </code>
                  </li>
                ))}
              </ul>
            ),
          ],
        ]}
      />
      {(node.memberCount > 1 || node.kind === "group") && (
        <details class="members">
          <summary>Members</summary>
          <ul>
            {node.members.slice(0, MEMBERS_SHOWN).map((member) => (
              <li key={member}>
                <code>{shown(member)}</code>
              </li>
            ))}
          </ul>
          {node.memberCount > MEMBERS_SHOWN && <p class="quiet">{plural(node.memberCount - MEMBERS_SHOWN, "more")}</p>}
        </details>
      )}
      <section>
        <h3>Opens flows to</h3>
        <EdgeList url={edgesUrl("src", node.id)} empty="It opened none in this query and window." />
      </section>
      <section>
        <h3>Answers flows from</h3>
        <EdgeList url={edgesUrl("dst", node.id)} empty="Nobody opened one in this query and window." />
      </section>
      <p class="panel-actions">
        <button
          type="button"
          class="button"
          onClick={() => go({ q: `node="${node.id.replace(/["\\]/g, "\\$&")}"`, at: undefined })}
        >
          Show only this node
        </button>
        {node.namespace !== undefined && (
          <button
            type="button"
            class="button"
            onClick={() => go({ q: islandCondition(node.namespace ?? "", "namespace", "src").replace("src.", "") })}
          >
            Show its namespace
          </button>
        )}
      </p>
    </article>
  );
}
