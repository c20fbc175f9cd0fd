import type { EdgeAnswer } from "../../../api/contract.js";
import { bytes, count, duration, plural, shown, time } from "../format.js";
import { ProblemNotice } from "../shell/notice.js";
import { StateLine } from "../shell/state-mark.js";
import { styleOf } from "../state/edge-states.js";
import { go, place } from "../state/location.js";
import { useResource } from "../state/resource.js";
import { CloseButton, Facts, NodeLink, Samples } from "./parts.js";

type Window = EdgeAnswer["windows"][number];

const BARS = 48;

/** Flows per window as bars, gathered when there are more windows than room. */
function WindowBars({ windows }: { windows: readonly Window[] }) {
  if (windows.length === 0) return null;
  const per = Math.ceil(windows.length / BARS);
  const bars: { answered: number; failed: number; startUs: number }[] = [];
  for (let i = 0; i < windows.length; i += per) {
    const group = windows.slice(i, i + per);
    bars.push({
      startUs: (group[0] as Window).startUs,
      answered: group.reduce((sum, window) => sum + window.answered, 0),
      failed: group.reduce((sum, window) => sum + window.failed, 0),
    });
  }
  const top = Math.max(1, ...bars.map((bar) => bar.answered + bar.failed));
  const width = 300 / Math.max(bars.length, 12);
  return (
    <svg
      class="window-bars"
      viewBox="0 0 300 46"
      preserveAspectRatio="none"
      role="img"
      aria-label={`Flows in ${plural(windows.length, "window")}`}
    >
      {bars.map((bar, i) => {
        const answered = (bar.answered / top) * 44;
        const failed = (bar.failed / top) * 44;
        return (
          <g key={bar.startUs}>
            <rect class="answered" x={i * width} width={Math.max(1, width - 1)} y={46 - answered} height={answered} />
            <rect
              class="failed"
              x={i * width}
              width={Math.max(1, width - 1)}
              y={46 - answered - failed}
              height={failed}
            />
          </g>
        );
      })}
    </svg>
  );
}

function Rules({ edge }: { edge: EdgeAnswer["edge"] }) {
  if (edge.rules.length === 0) {
    return <p>No proposed rule permits it, so deny mode would drop it by default.</p>;
  }
  return (
    <ul class="rule-links">
      {edge.rules.map((rule) => (
        <li key={rule}>
          <button type="button" class="link" onClick={() => go({ page: "proposals", tab: "rules", item: rule })}>
            <code>{shown(rule)}</code>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** One edge and everything that speaks for or against it. */
export function EdgeDetail({ id }: { id: string }) {
  const { level, from, until } = place.value;
  const params = new URLSearchParams({ level });
  if (from !== undefined) params.set("from", String(from));
  if (until !== undefined) params.set("until", String(until));
  const resource = useResource<EdgeAnswer>(`/api/edges/${encodeURIComponent(id)}?${params}`);
  if (resource.kind === "failed") {
    return (
      <article class="detail" aria-label="Edge">
        <CloseButton />
        <ProblemNotice problem={resource.problem} />
      </article>
    );
  }
  if (resource.data === undefined)
    return (
      <article class="detail">
        <p class="quiet">Reading the evidence…</p>
      </article>
    );
  const { edge, client, server, samples, windows } = resource.data;
  const { word, meaning } = styleOf(edge.state);
  const { answered, refused, unanswered, midstream } = edge.flows;
  const outcomes = [
    [answered, "answered"],
    [refused, "refused"],
    [unanswered, "unanswered"],
    [midstream, "midstream"],
  ] as const;
  return (
    <article class="detail" aria-label="Edge" data-edge={edge.id}>
      <CloseButton />
      <header class="edge-head">
        <NodeLink node={client} />
        <div class="edge-arrow">
          <StateLine state={edge.state} width={72} />
          <code>
            {shown(edge.protocol)}/{edge.port}
          </code>
        </div>
        <NodeLink node={server} />
      </header>
      <section class={`verdict state-${edge.state}`}>
        <h2>
          {word} <span>{meaning}</span>
        </h2>
        <p>{shown(edge.reason, 600)}</p>
      </section>
      <section>
        <h3>Rules</h3>
        <Rules edge={edge} />
      </section>
      <section>
        <h3>Seen</h3>
        <WindowBars windows={windows} />
        <Facts
          rows={[
            [
              "Flows",
              outcomes
                .filter(([n]) => n > 0)
                .map(([n, what]) => `${count(n)} ${what}`)
                .join(", ") || "none",
            ],
            ["Bytes", `${bytes(edge.clientBytes)} sent, ${bytes(edge.serverBytes)} back`],
            ["Packets", `${count(edge.clientPackets)} sent, ${count(edge.serverPackets)} back`],
            ["First seen", <time key="first">{time(edge.firstSeenUs)} UTC</time>],
            ["Last seen", <time key="last">{time(edge.lastSeenUs)} UTC</time>],
            ["Over", `${duration(edge.lastSeenUs - edge.firstSeenUs)}, in ${plural(edge.windows, "hour")} with a flow`],
            ["Observers", edge.observers.map((name) => shown(name)).join(", ") || "none"],
            [
              "Names",
              edge.names.length === 0 ? (
                "none seen"
              ) : (
                <bdi key="names">{edge.names.map((name) => shown(name)).join(", ")}</bdi>
              ),
            ],
          ]}
        />
      </section>
      <section>
        <h3>Sample flows</h3>
        <Samples samples={samples} />
      </section>
    </article>
  );
}
