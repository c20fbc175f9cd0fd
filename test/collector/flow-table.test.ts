import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { FlowMeter } from "../../collector/flow-meter.js";
import { firstLayerOf } from "../../collector/layers/link-types.js";
import { flowAt } from "../../model/flow-rows.js";
import { ipv4, udp } from "./packet-builder.js";

const RAW = firstLayerOf(101) as number;
const SILENCE_US = 1000;
const TIMEOUTS = { openUs: SILENCE_US, closedUs: SILENCE_US, connectionlessUs: SILENCE_US };

interface Step {
  readonly client: number;
  readonly isReply: boolean;
  readonly afterUs: number;
  readonly isSwept: boolean;
}

const steps = fc.array(
  fc.record({
    client: fc.nat(30),
    isReply: fc.boolean(),
    afterUs: fc.constantFrom(0, 1, 10, 300, 2000),
    isSwept: fc.boolean(),
  }),
  { maxLength: 300 },
);

/** What the flows must be, by the definition: a tuple's packets, cut where it was silent for too long. */
function expected(all: readonly Step[]): string[] {
  const open = new Map<number, { startUs: number; endUs: number; packets: number }>();
  const done: string[] = [];
  const end = (client: number) => {
    const flow = open.get(client);
    if (flow !== undefined) done.push(`${client} ${flow.startUs} ${flow.endUs} ${flow.packets}`);
  };
  let nowUs = 0;
  for (const { client, afterUs } of all) {
    nowUs += afterUs;
    const flow = open.get(client);
    if (flow !== undefined && nowUs - flow.endUs <= SILENCE_US) {
      open.set(client, { ...flow, endUs: nowUs, packets: flow.packets + 1 });
    } else {
      end(client);
      open.set(client, { startUs: nowUs, endUs: nowUs, packets: 1 });
    }
  }
  for (const client of open.keys()) end(client);
  return done.sort();
}

test("flows are what their definition says, whenever the table is swept and exported", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const meter = new FlowMeter({ collector: "test", boot: "boot", timeouts: TIMEOUTS });
      const found: string[] = [];
      const take = (batches: ReturnType<FlowMeter["export"]>) => {
        for (const batch of batches) {
          for (let row = 0; row < batch.length; row++) {
            const { originator, responder, startUs, endUs } = flowAt(batch, row);
            const client = Math.max(originator.port, responder.port) - 5000;
            found.push(`${client} ${startUs} ${endUs} ${originator.packets + responder.packets}`);
          }
        }
      };
      let nowUs = 0;
      for (const { client, isReply, afterUs, isSwept } of all) {
        nowUs += afterUs;
        const bytes = isReply
          ? ipv4("10.0.0.2", "10.0.0.1", 17, udp(9, 5000 + client))
          : ipv4("10.0.0.1", "10.0.0.2", 17, udp(5000 + client, 9));
        if (isSwept) {
          meter.sweep(nowUs);
          take(meter.export({ dropped: 0 }));
        }
        meter.add(RAW, bytes, 0, bytes.length, bytes.length, nowUs);
      }
      take(meter.exportAll({ dropped: 0 }));
      assert.deepEqual(found.sort(), expected(all));
    }),
    { numRuns: 200 },
  );
});
