import assert from "node:assert/strict";
import test from "node:test";
import type { SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import type { Sensor } from "../../web/api/contract.js";
import { sensorRows } from "../../web/api/sensor-rows.js";
import {
  clockLines,
  gapWords,
  isTroubled,
  lagWords,
  lostWords,
  spoolWords,
  stateWords,
  watchedLines,
} from "../../web/ui/src/sensors/sensor-words.js";

const clock = { nowUs: 1_000e6, silentAfterUs: 35e6 };
const eth0 = { name: "eth0", program: "tcpdump", packets: 1200, dropped: 0 };

function sensor(rest: Partial<SensorHeartbeat> = {}, stored?: Sensor["stored"]): Sensor {
  const heartbeat: SensorHeartbeat = {
    ...{ version: 1, sensor: "a", kind: "collector", boot: "b", atUs: 995e6, startedUs: 395e6, software: "1" },
    interfaces: [eth0],
    ...rest,
  };
  return { id: "a", heartbeat, ...(stored === undefined ? {} : { stored }) };
}

const stored = { firstSeenUs: 1, lastSeenUs: 2, batches: 3, flows: 4, dropped: 0 } as const;
const silent: Sensor = { id: "a", stored };
const spool = { bytes: 2000, batches: 2, oldestUs: 940e6, lostBatches: 0, lostFlows: 0 };
const waiting = { ...eth0, name: "wg0", waiting: "gone" };

const SAID: readonly (readonly [what: string, words: ReturnType<typeof lagWords>, text: string, isWarning: boolean])[] =
  [
    ["a live one", stateWords(sensor(), clock), "alive, for 10 min", false],
    ["one just within the time", stateWords(sensor({ atUs: 965e6 }), clock), "alive, for 10 min", false],
    ["one past it", stateWords(sensor({ atUs: 964e6 }), clock), "silent for 1 min", true],
    ["one that ended", stateWords(sensor({ atUs: 0, ended: true }), clock), "ended, as it was told to", false],
    ["one without heartbeats", stateWords(silent, clock), "sends no heartbeat", false],
    ["a lost interface", stateWords(sensor({ interfaces: [eth0, waiting] }), clock), "captures nothing on wg0", true],
    [
      "a full disk",
      stateWords(sensor({ spool: { ...spool, fault: "no space" } }), clock),
      "cannot write its spool: no space",
      true,
    ],
    ["no loss", lostWords(sensor()), "none", false],
    ["a loss", lostWords(sensor({ interfaces: [{ ...eth0, dropped: 3 }] })), "3 packets", true],
    ["an older loss in the store", lostWords(sensor({}, { ...stored, dropped: 7 })), "7 packets", true],
    ["losses nobody can tell", lostWords(sensor({ interfaces: [{ ...eth0, dropped: "unknown" }] })), "unknown", true],
    ["unknown in the store", lostWords(sensor({}, { ...stored, dropped: "unknown" })), "unknown", true],
    ["an enforcer, which takes no packets", lostWords(sensor({ kind: "enforcer", interfaces: [] })), "-", false],
    ["no lag", lagWords(sensor({ lagMs: 0 })), "none", false],
    ["a lag", lagWords(sensor({ lagMs: 1234 })), "1.2 s", false],
    ["a long lag", lagWords(sensor({ lagMs: 600_000 })), "10 min", true],
    ["an untold lag", lagWords(sensor()), "unknown", false],
    ["no spool", spoolWords(sensor(), clock), "none told", false],
    ["an empty spool", spoolWords(sensor({ spool: { ...spool, batches: 0 } }), clock), "empty", false],
    ["a spool at work", spoolWords(sensor({ spool }), clock), "2 batches, 2.0 kB, since 1 min", false],
    [
      "a spool that overflowed",
      spoolWords(sensor({ spool: { ...spool, lostBatches: 1, lostFlows: 900 } }), clock),
      "2 batches, 2.0 kB, since 1 min, gave up 900 flows",
      true,
    ],
  ];

for (const [what, words, text, isWarning] of SAID) {
  test(`the page says "${text}" of ${what}`, () => assert.deepEqual(words, { text, isWarning }));
}

test("what it lost in the past is no present trouble; what it does now may be", () => {
  const past = sensor({ interfaces: [{ ...eth0, dropped: 3 }] });
  assert.deepEqual(
    [past, silent].map((one) => isTroubled(one, clock)),
    [false, false],
  );
  const now = [sensor({ atUs: 0 }), sensor({ lagMs: 60_000 }), sensor({ clockOffsetMs: 9000 })];
  assert.deepEqual(
    now.map((one) => isTroubled(one, clock)),
    [true, true, true],
  );
});

test("clocks are told against the broker's and other observers', as far as they differ", () => {
  const ahead = (...clocks: [other: string, aheadMs: number][]) => ({
    ...stored,
    clocks: clocks.map(([other, aheadMs]) => ({ other, aheadUs: 1000 * aheadMs, flows: 9 })),
  });
  const cases: readonly [is: Sensor, ...lines: string[]][] = [
    [sensor(), "unknown"],
    [sensor({ clockOffsetMs: -20 }), "right to 0.1 s"],
    [sensor({}, ahead(["b", 2])), "right to 0.1 s"],
    [sensor({ clockOffsetMs: 400 }), "400 ms fast"],
    [sensor({ clockOffsetMs: -5001 }, ahead(["b", 3])), "▲ 5.0 s slow"],
    [sensor({ clockOffsetMs: 0 }, ahead(["b", -7000], ["c", 300])), "▲ 7.0 s behind b", "300 ms ahead of c"],
    [
      sensor({}, ahead(["b", 200], ["c", 300], ["d", 400], ["e", 500], ["f", 1])),
      ...["500 ms ahead of e", "400 ms ahead of d", "300 ms ahead of c", "and differs from 1 more"],
    ],
  ];
  for (const [is, ...lines] of cases) {
    const said = clockLines(is).map(({ text, isWarning }) => (isWarning ? `▲ ${text}` : text));
    assert.deepEqual(said, lines);
  }
});

test("a gap is told in flows where the collector had counted them", () => {
  const gaps = [{ lost: 7 }, { lost: "unknown" }, { lost: "unknown", lostFlows: 77 }] as const;
  assert.deepEqual(gaps.map(gapWords), ["7 packets", "unknown", "77 flows"]);
});

test("an interface is told with its program and packets", () => {
  assert.deepEqual(watchedLines(sensor()), ["eth0 by tcpdump, 1,200 packets"]);
  assert.deepEqual(watchedLines(silent), []);
});

test("sensors that sent flows, word of themselves, or both, are each one row", () => {
  const beat = sensor().heartbeat as SensorHeartbeat;
  const seen = [
    { collector: "z", ...stored },
    { collector: "a", ...stored },
  ];
  assert.deepEqual(sensorRows(seen, [beat, { ...beat, sensor: "e" }]), [
    { id: "a", heartbeat: beat, stored },
    { id: "e", heartbeat: { ...beat, sensor: "e" } },
    { id: "z", stored },
  ]);
});
