import { plural, shown } from "../format.js";
import { setIslandOpen } from "../map/map-view.js";
import { place, viewParams } from "../state/location.js";
import { islandCondition, linkQuery, markCondition } from "../state/selection.js";
import { shownMap } from "../state/views.js";
import { CloseButton, EdgeList } from "./parts.js";

function queryUrl(...parts: readonly string[]): string {
  const params = new URLSearchParams(viewParams.value);
  params.set("q", parts.filter((part) => part !== "").join(" "));
  return `/api/edges?${params}`;
}

function nameOf(markId: string): string {
  return shownMap.value?.marks.find((mark) => mark.id === markId)?.label ?? markId.replace(/^[a-z]+:/, "");
}

/** An island, or everything between two marks: the edges that were gathered into one line. */
export function GroupDetail(props: { island: string } | { client: string; server: string }) {
  const { q, group } = place.value;
  const base = q === "" ? "" : `(${q})`;
  if ("client" in props) {
    return (
      <article class="detail" aria-label="Link">
        <CloseButton />
        <header class="node-head">
          <p class="overline">edges between</p>
          <h2>
            <bdi>{shown(nameOf(props.client))}</bdi> → <bdi>{shown(nameOf(props.server))}</bdi>
          </h2>
        </header>
        <EdgeList
          url={queryUrl(linkQuery(q, props.client, props.server, group))}
          empty="None in this query and window."
        />
      </article>
    );
  }
  const { island } = props;
  const shownIsland = shownMap.value?.islands.find(({ id }) => id === island);
  return (
    <article class="detail" aria-label="Island">
      <CloseButton />
      <header class="node-head">
        <p class="overline">{group === "namespace" ? "namespace" : "island"}</p>
        <h2>
          <bdi>{shown(island)}</bdi>
        </h2>
        {shownIsland !== undefined && (
          <p>
            {plural(shownIsland.nodes, "node")}{" "}
            <button type="button" class="link" onClick={() => setIslandOpen(island, !shownIsland.isOpen)}>
              {shownIsland.isOpen ? "Close the island" : "Open the island"}
            </button>
          </p>
        )}
      </header>
      <section>
        <h3>Opens flows to</h3>
        <EdgeList
          url={queryUrl(base, islandCondition(island, group, "src"))}
          empty="It opened none in this query and window."
        />
      </section>
      <section>
        <h3>Answers flows from</h3>
        <EdgeList
          url={queryUrl(base, markCondition(`island:${island}`, group, "dst"))}
          empty="Nobody opened one in this query and window."
        />
      </section>
    </article>
  );
}
