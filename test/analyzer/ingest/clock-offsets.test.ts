import assert from "node:assert/strict";
import test from "node:test";
import { ClockOffsets } from "../../../analyzer/ingest/clock-offsets.js";
import { followSensors } from "../../../analyzer/ingest/follow-sensors.js";
import { encodeHeartbeat, type SensorHeartbeat } from "../../../model/sensor-heartbeat.js";
import { inProcessCarrier } from "../../../stream/in-process.js";

const beat = (atMs: number, boot = "boot-1", sensor = "a"): SensorHeartbeat => ({
  ...{ version: 1, sensor, kind: "collector", boot, atUs: 1000 * atMs, startedUs: 0, software: "1" },
  interfaces: [],
});

test("a clock is told by the heartbeat that was least under way, once there are two of one start", () => {
  const clocks = new ClockOffsets();
  const told = (atMs: number, takenMs: number, boot?: string) => clocks.offsetMs(beat(atMs, boot), takenMs);
  assert.equal(told(10_300, 10_020), undefined); // 300 ms fast, 20 ms under way
  assert.equal(told(20_300, 29_000), 280); // waited for a broker that was away
  assert.equal(told(30_300, 30_005), 295);
  for (let i = 4; i < 9; i++) assert.equal(told(10_000 * i + 300, 10_000 * i + 50), 295);
  assert.equal(told(90_300, 90_050), 250); // the best one was too long ago
  assert.equal(told(100_000, 100_050, "boot-2"), undefined);
  assert.equal(told(110_000, 110_004, "boot-2"), -4);
});

test("heartbeats are handed over with the clock's difference where the carrier tells the time", async () => {
  let nowMs = 50_000;
  const carrier = inProcessCarrier(64, () => nowMs);
  const taken: SensorHeartbeat[] = [];
  const subscription = await followSensors(carrier, (beat) => taken.push(beat));
  for (const atMs of [50_700, 60_700]) {
    await carrier.send("portolan.sensors", { key: "a", value: encodeHeartbeat(beat(atMs)), headers: {} });
    nowMs += 10_000;
  }
  while (taken.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    taken.map(({ clockOffsetMs }) => clockOffsetMs),
    [undefined, 700],
  );
  await subscription.close();
  await carrier.close();
});
