import type { Sensor, SensorsAnswer } from "../../../api/contract.js";
import { count, duration, plural, shown, time } from "../format.js";
import { Notice, ProblemNotice } from "../shell/notice.js";
import { PlainTable } from "../shell/plain-table.js";
import { refresh, useResource } from "../state/resource.js";
import { overview } from "../state/views.js";
import {
  type Clock,
  clockLines,
  gapWords,
  isTroubled,
  lagWords,
  lostWords,
  spoolWords,
  stateWords,
  UNKNOWN,
  type Words,
  watchedLines,
} from "./sensor-words.js";

/** As often as sensors tell of themselves. */
const ASK_EVERY_MS = 10_000;

const COLUMNS = ["Sensor", "State", "Watches", "Packets lost", "Lag", "Clock", "Spool", "Flows stored", "Last flow"];

function Said({ words }: { words: Words }) {
  const text = <bdi>{shown(words.text)}</bdi>;
  return words.isWarning ? <span class="warn">▲ {text}</span> : text;
}

function SensorRow({ sensor, clock }: { sensor: Sensor; clock: Clock }) {
  const { id, stored, heartbeat } = sensor;
  const lines = watchedLines(sensor);
  return (
    <tr>
      <th scope="row">
        <bdi>{shown(id)}</bdi>
        <span class="sensor-kind">
          {heartbeat === undefined ? "kind and version unknown" : shown(`${heartbeat.kind} ${heartbeat.software}`)}
        </span>
      </th>
      <td>
        <Said words={stateWords(sensor, clock)} />
      </td>
      <td>
        {lines.length === 0 ? ((heartbeat?.kind ?? "collector") === "collector" ? UNKNOWN : "-") : null}
        {lines.map((line) => (
          <bdi key={line} class="sensor-line">
            {shown(line)}
          </bdi>
        ))}
      </td>
      <td class="short">
        <Said words={lostWords(sensor)} />
      </td>
      <td class="short">
        <Said words={lagWords(sensor)} />
      </td>
      <td class="short">
        {clockLines(sensor).map((words) => (
          <div key={words.text} class="sensor-line">
            <Said words={words} />
          </div>
        ))}
      </td>
      <td>
        <Said words={spoolWords(sensor, clock)} />
      </td>
      <td class="number">{stored === undefined ? "0" : count(stored.flows)}</td>
      <td class="short">{stored === undefined || stored.lastSeenUs === 0 ? "never" : time(stored.lastSeenUs)}</td>
    </tr>
  );
}

function Gaps({ gaps, gapCount }: Pick<SensorsAnswer, "gaps" | "gapCount">) {
  return (
    <div class="gaps">
      <h2>Gaps</h2>
      {gaps.length === 0 ? (
        <p>No gap was reported: what the sensors saw is complete as far as they can tell.</p>
      ) : (
        <>
          <p>
            {plural(gapCount, "gap")} in what was seen
            {gaps.length < gapCount && `, of which the last ${count(gaps.length)} are listed`}. Each travels with the
            proposals that it touches.
          </p>
          <PlainTable label="Gaps" columns={["Sensor", "From", "Until", "Lost", "Reason"]}>
            {gaps.map(({ collector, fromUs, untilUs, reason, ...gap }, i) => (
              <tr key={i}>
                <th scope="row">
                  <bdi>{collector === "*" ? "any" : shown(collector)}</bdi>
                </th>
                <td class="short">{fromUs === 0 ? UNKNOWN : time(fromUs)}</td>
                <td class="short">{untilUs === 0 ? UNKNOWN : time(untilUs)}</td>
                <td class="short">{gapWords(gap)}</td>
                <td>
                  <bdi>{shown(reason)}</bdi>
                </td>
              </tr>
            ))}
          </PlainTable>
        </>
      )}
    </div>
  );
}

/** Who watches, since when, how well, and what was lost: every answer rests on it. */
export function SensorsPage() {
  const resource = useResource<SensorsAnswer>("/api/sensors", ASK_EVERY_MS);
  const { data } = resource;
  const sensors = data?.sensors ?? [];
  const troubled = data === undefined ? 0 : sensors.filter((sensor) => isTroubled(sensor, data)).length;
  const figures = overview.value;
  return (
    <main class="sheet" id="main" tabIndex={-1}>
      <header class="sheet-head">
        <h1>Sensors</h1>
        {figures !== undefined && figures.sensors.count > 0 && (
          <p>
            {plural(figures.flows, "flow")} seen from {time(figures.fromUs)} to {time(figures.untilUs)} UTC,{" "}
            {duration(figures.untilUs - figures.fromUs)} in all.
          </p>
        )}
      </header>
      {resource.kind === "failed" && <ProblemNotice problem={resource.problem} onRetry={() => refresh.value++} />}
      {resource.kind === "ready" && sensors.length === 0 && (
        <Notice title="No sensor has reported yet">
          <p>
            Watch this host with <code>portolan run --interface eth0</code>, or read a capture with{" "}
            <code>portolan analyze capture.pcap</code>.
          </p>
        </Notice>
      )}
      {data !== undefined && sensors.length > 0 && (
        <>
          <p class="sensors-summary" role="status">
            {troubled === 0 ? (
              `${plural(data.sensorCount, "sensor")}, none of them known to be in trouble.`
            ) : (
              <span class="warn">
                ▲ {count(troubled)} of {plural(data.sensorCount, "sensor")} {troubled === 1 ? "is" : "are"} in trouble.
              </span>
            )}
            {sensors.length < data.sensorCount && ` The first ${count(sensors.length)} are listed.`}
          </p>
          <PlainTable label="Sensors" columns={COLUMNS}>
            {sensors.map((sensor) => (
              <SensorRow key={sensor.id} sensor={sensor} clock={data} />
            ))}
          </PlainTable>
          <Gaps gaps={data.gaps} gapCount={data.gapCount} />
        </>
      )}
    </main>
  );
}
