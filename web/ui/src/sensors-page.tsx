import type { SensorsAnswer } from "../../api/contract.js";
import { count, duration, plural, shown, time } from "./format.js";
import { Notice, ProblemNotice } from "./shell/notice.js";
import { refresh, useResource } from "./state/resource.js";
import { overview } from "./state/views.js";

/** Who watches, since when, and what was lost: every answer rests on it. */
export function SensorsPage() {
  const resource = useResource<SensorsAnswer>("/api/sensors");
  const sensors = resource.data?.sensors ?? [];
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
      {sensors.length > 0 && (
        <div class="plain-table" tabIndex={0} role="region" aria-label="Sensors">
          <table>
            <thead>
              <tr>
                <th scope="col">Collector</th>
                <th scope="col">First seen</th>
                <th scope="col">Last seen</th>
                <th scope="col" class="number">
                  Batches
                </th>
                <th scope="col" class="number">
                  Flows
                </th>
                <th scope="col" class="number">
                  Packets lost
                </th>
              </tr>
            </thead>
            <tbody>
              {sensors.map((sensor) => (
                <tr key={sensor.collector}>
                  <th scope="row">
                    <bdi>{shown(sensor.collector)}</bdi>
                  </th>
                  <td>{time(sensor.firstSeenUs)}</td>
                  <td>{time(sensor.lastSeenUs)}</td>
                  <td class="number">{count(sensor.batches)}</td>
                  <td class="number">{count(sensor.flows)}</td>
                  <td class="number">
                    {sensor.dropped === "unknown" ? (
                      <span class="warn">▲ unknown</span>
                    ) : sensor.dropped > 0 ? (
                      <span class="warn">▲ {count(sensor.dropped)}</span>
                    ) : (
                      "0"
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  );
}
