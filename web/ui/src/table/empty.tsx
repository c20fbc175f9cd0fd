import { plural } from "../format.js";
import { Notice } from "../shell/notice.js";
import { go, place } from "../state/location.js";
import { overview } from "../state/views.js";

/** Nothing is stored at all: say why that may be and how to begin. */
export function NothingYet() {
  const sensors = overview.value?.sensors.count ?? 0;
  return sensors === 0 ? (
    <Notice title="No sensor has reported yet">
      <p>
        Portolan draws what it sees. Watch this host with <code>portolan run --interface eth0</code>, or read a capture
        with <code>portolan analyze capture.pcap</code>.
      </p>
    </Notice>
  ) : (
    <Notice title="A sensor reports, but no traffic yet">
      <p>
        {plural(sensors, "sensor")} connected. If this stays so, look at the Sensors page: the interface may be the
        wrong one, or its traffic may pass elsewhere.
      </p>
    </Notice>
  );
}

/** The query or the window leaves nothing over: say how much it hides and offer to take it away. */
export function FilterHidesAll() {
  const { q, from, until } = place.value;
  const hidden = overview.value?.edges;
  const hasWindow = from !== undefined || until !== undefined;
  return (
    <Notice title="Nothing matches">
      <p>
        The {q === "" ? "time window" : hasWindow ? "query and the time window leave" : "query"}
        {q !== "" && hasWindow ? "" : " leaves"} no edge over
        {hidden === undefined ? "." : ` of the ${plural(hidden, "edge")} that are stored.`}
      </p>
      <div class="notice-actions">
        {q !== "" && (
          <button type="button" class="button" onClick={() => go({ q: "" })}>
            Clear the query
          </button>
        )}
        {hasWindow && (
          <button type="button" class="button" onClick={() => go({ from: undefined, until: undefined })}>
            Show all time
          </button>
        )}
      </div>
    </Notice>
  );
}
