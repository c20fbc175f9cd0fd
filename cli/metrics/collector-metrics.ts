import type { CollectorTotals } from "../../collector/live/flow-collector.js";
import { counter, gauge, type Measured, measured } from "./family.js";

const NAME = {
  capturing: gauge("portolan_collector_capturing", "1 while packets are taken, 0 while the capture waits", [
    "interface",
  ]),
  packets: counter("portolan_collector_packets_total", "Packets that were taken"),
  bytes: counter("portolan_collector_bytes_total", "Bytes of them on the wire"),
  lost: counter("portolan_collector_packets_lost_total", "Packets that were not seen; absent where nobody can tell"),
  undecoded: counter("portolan_collector_packets_undecoded_total", "Packets left out, by the reason", ["reason"]),
  flows: counter("portolan_collector_flows_total", "Flow records that were made"),
  evicted: counter("portolan_collector_flows_evicted_total", "Flows ended early to make room in the table"),
  batches: counter("portolan_collector_batches_total", "Batches that the carrier or the spool took"),
  failures: counter("portolan_collector_send_failures_total", "Times that a batch was not taken; it is sent again"),
  seen: gauge("portolan_collector_last_packet_timestamp_seconds", "Time of the latest packet"),
};

/** What a running collector knows of itself. */
export interface CollectorView {
  readonly isCapturing: () => Iterable<readonly [name: string, isCapturing: boolean]>; // by interface
  readonly totals: () => CollectorTotals | undefined; // undefined before the capture begins
  readonly sendFailures: () => number;
}

export function collectorMetrics(view: CollectorView): Measured[] {
  const { totals } = view;
  return [
    measured(NAME.capturing, () =>
      Array.from(view.isCapturing(), ([name, isCapturing]) => ({
        labels: { interface: name },
        value: isCapturing ? 1 : 0,
      })),
    ),
    measured(NAME.packets, () => totals()?.packets),
    measured(NAME.bytes, () => totals()?.wireBytes),
    measured(NAME.lost, () => totals()?.lost),
    measured(NAME.undecoded, () =>
      Object.entries(totals()?.dropped ?? {}).map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    measured(NAME.flows, () => totals()?.flows),
    measured(NAME.evicted, () => totals()?.evicted),
    measured(NAME.batches, () => totals()?.batches),
    measured(NAME.failures, () => view.sendFailures()),
    measured(NAME.seen, () => {
      const untilUs = totals()?.untilUs ?? 0;
      return untilUs === 0 ? undefined : untilUs / 1e6;
    }),
  ];
}
