import type { SensorStatus } from "../explorer.js";
import type { SensorGap } from "../proposal.js";
import { html, type Markup, paragraph } from "./markup.js";
import { table } from "./table.js";
import { formatCount, formatMoment } from "./words.js";

/** Who watched, and what they did not see. */
export function sensorTables(sensors: readonly SensorStatus[], gaps: readonly SensorGap[]): Markup {
  return html`${
    sensors.length === 0
      ? paragraph("No sensor reported.")
      : table<SensorStatus>(
          "Sensors and what they lost",
          [
            { title: "Sensor", cell: ({ collector }) => collector },
            { title: "First seen (UTC)", cell: ({ firstSeenUs }) => formatMoment(firstSeenUs) },
            { title: "Last seen (UTC)", cell: ({ lastSeenUs }) => formatMoment(lastSeenUs) },
            { title: "Flows", isNumber: true, cell: ({ flows }) => formatCount(flows) },
            {
              title: "Packets lost",
              isNumber: true,
              cell: ({ dropped }) => (dropped === "unknown" ? "unknown" : formatCount(dropped)),
            },
          ],
          sensors,
        )
  }
${
  gaps.length === 0
    ? paragraph("No gap was reported: what the sensors saw is complete as far as they can tell.")
    : table<SensorGap>(
        "Gaps in what was seen; conversations in them may be missing from this report",
        [
          { title: "Sensor", cell: ({ collector }) => collector },
          { title: "From (UTC)", cell: ({ fromUs }) => formatMoment(fromUs) },
          { title: "Until (UTC)", cell: ({ untilUs }) => formatMoment(untilUs) },
          {
            title: "Packets lost",
            isNumber: true,
            cell: ({ lost }) => (lost === "unknown" ? "unknown" : formatCount(lost)),
          },
          { title: "Reason", cell: ({ reason }) => reason },
        ],
        gaps,
      )
}`;
}
