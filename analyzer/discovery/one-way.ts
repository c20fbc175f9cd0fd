import type { History } from "./history.js";

const UDP = 17;

/**
 * A stream of datagrams nobody ever answers and that goes on: syslog, NetFlow, StatsD and traps look like that. It is
 * no proof of anything good, and no probe either, so it neither becomes a rule nor counts against its sender.
 */
export function isOneWay(history: History): boolean {
  return (
    history.protocol === UDP &&
    history.answered === 0 &&
    history.refused === 0 &&
    history.midstream === 0 &&
    history.units.length >= 2 &&
    history.clientPackets >= 3
  );
}
