import type { SpoolStatus } from "../../collector/spool/spool.js";
import { counter, gauge, type Measured, measured } from "./family.js";

const NAME = {
  bytes: gauge("portolan_spool_bytes", "Bytes of the spool on disk"),
  batches: gauge("portolan_spool_batches", "Batches that the broker has not acknowledged"),
  oldest: gauge("portolan_spool_oldest_timestamp_seconds", "When the oldest of them was made; absent without one"),
  isWritable: gauge("portolan_spool_writable", "1 while the disk takes batches, 0 while it takes none"),
  lostBatches: counter("portolan_spool_batches_lost_total", "Batches given up because there was no room"),
  lostFlows: counter("portolan_spool_flows_lost_total", "Flow records in them"),
  damaged: counter("portolan_spool_records_damaged_total", "Records that were not read back as they were written"),
  sentFlows: counter("portolan_spool_flows_sent_total", "Flow records that the broker acknowledged"),
};

export interface SpoolView {
  readonly status: () => SpoolStatus;
  readonly sentFlows: () => number;
}

export function spoolMetrics({ status, sentFlows }: SpoolView): Measured[] {
  return [
    measured(NAME.bytes, () => status().bytes),
    measured(NAME.batches, () => status().batches),
    measured(NAME.oldest, () => {
      const { oldestUs } = status();
      return oldestUs === undefined ? undefined : oldestUs / 1e6;
    }),
    measured(NAME.isWritable, () => (status().fault === undefined ? 1 : 0)),
    measured(NAME.lostBatches, () => status().lostBatches),
    measured(NAME.lostFlows, () => status().lostFlows),
    measured(NAME.damaged, () => status().damagedRecords),
    measured(NAME.sentFlows, sentFlows),
  ];
}
