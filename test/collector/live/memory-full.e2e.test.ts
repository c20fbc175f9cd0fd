import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { startCollector } from "../../../collector/live/live-collector.js";
import { Spool } from "../../../collector/spool/spool.js";
import { FLOW_LOSS_SCHEMA, type FlowLoss, parseFlowLoss } from "../../../model/flow-loss.js";

/**
 * A port of the loopback on which nobody listens: a connection to it is a flow that ends at once. Not one of those that the
 * kernel gives to outgoing connections, as one of these would be connected to itself.
 */
const CLOSED_PORT = 1;

const refusedBy = (port: number) =>
  new Promise<void>((resolve) => {
    connect(port, "127.0.0.1").on("error", () => resolve());
  });

test("flows that find no room while a spool hangs are given up, counted and told; the rest arrives", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-memory-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const spool = Spool.open({ folder, limitBytes: 8 << 20 });
  let goesOn = () => {};
  const hangs = new Promise<void>((resolve) => {
    goesOn = resolve;
  });
  const collector = await startCollector({
    interface: "lo",
    collector: "host-1",
    boot: "boot-1",
    mostWaitingFlows: 50,
    sink: {
      take: async (batch) => {
        await hangs;
        spool.take(batch);
      },
      lose: (batch) => spool.lose(batch, "memory-full"),
    },
  });
  while (spool.status().lostBatches < 2) await refusedBy(CLOSED_PORT);
  goesOn();
  const { flows } = await collector.stop();
  const arrived = new Set<number>();
  const losses = new Map<number, FlowLoss>(); // by their first batch: the longer one holds
  let arrivedFlows = 0;
  for (let flight = spool.next(); flight !== undefined; flight = spool.next()) {
    for (const { sequence, flows } of flight.batches) {
      arrived.add(sequence);
      arrivedFlows += flows;
    }
    for (const { headers, value } of flight.messages) {
      const loss = headers.schema === FLOW_LOSS_SCHEMA ? parseFlowLoss(value) : undefined;
      if (loss !== undefined) losses.set(loss.first, loss);
    }
    spool.acknowledge(flight);
  }
  await spool.close();
  const lostFlows = [...losses.values()].reduce((sum, loss) => sum + loss.flows, 0);
  context.diagnostic(`${flows} flows made, ${arrivedFlows} arrived, ${lostFlows} given up`);
  assert.ok(arrivedFlows > 0 && lostFlows > 50);
  assert.equal(arrivedFlows + lostFlows, flows);
  for (const { first, last, reason } of losses.values()) {
    assert.equal(reason, "memory-full");
    for (let sequence = first; sequence <= last; sequence++) assert.ok(!arrived.has(sequence));
  }
});
