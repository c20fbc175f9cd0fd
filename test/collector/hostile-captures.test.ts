import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { CaptureError } from "../../collector/capture-file/capture-error.js";
import { FlowMeter } from "../../collector/flow-meter.js";
import { firstLayerOf } from "../../collector/layers/link-types.js";
import { bytesOf, ethernet, FLAGS, ipv4, ipv6, pcap, tcp, u16, u32, udp, vlanTag } from "./packet-builder.js";
import { readFlows } from "./read-flows.js";

const SYN = tcp(40000, 443, FLAGS.syn, 1);
const INNER = ethernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, SYN));
const vxlan = bytesOf(u32(0x08000000), u32(42 << 8), INNER);

/** Frames that reach into every corner when a few of their bits are turned. */
const FRAMES = [
  INNER,
  ethernet(0x8100, vlanTag(5, 0x86dd, ipv6("fd00::1", "fd00::2", 17, udp(1, 2)))),
  ethernet(0x86dd, ipv6("fd00::1", "fd00::2", 0, bytesOf([60, 0, 0, 0, 0, 0, 0, 0], [6, 0, 0, 0, 0, 0, 0, 0], SYN))),
  ethernet(0x0800, ipv4("192.0.2.1", "192.0.2.2", 17, udp(3, 4789, vxlan))),
  ethernet(
    0x0800,
    ipv4(
      "192.0.2.1",
      "192.0.2.2",
      17,
      udp(2152, 2152, bytesOf([0x34, 255], u16(0), u32(7), u32(0x85), [1, 0, 0, 0], INNER)),
    ),
  ),
  ethernet(
    0x0800,
    ipv4("192.0.2.1", "192.0.2.2", 47, bytesOf(u16(0x7000), u16(0x6558), u32(1), u32(2), u32(3), u32(0), INNER)),
  ),
  ethernet(0x8847, bytesOf(u32((17 << 12) | 0x1ff), u32(0), INNER)),
  ethernet(0x8864, bytesOf([0x11, 0], u16(5), u16(42), u16(0x0021), ipv4("10.0.0.1", "10.0.0.2", 6, SYN))),
];

interface Turn {
  readonly at: number;
  readonly value: number;
}

const turns = fc.array(fc.record({ at: fc.nat(200), value: fc.nat(255) }), { maxLength: 6 });

function turned(frame: Uint8Array, changes: readonly Turn[], length: number): Uint8Array {
  const bytes = Uint8Array.from(frame);
  for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
  return bytes.subarray(0, Math.min(length, bytes.length));
}

const LINK_TYPES = Array.from({ length: 300 }, (_, linkType) => linkType).filter((n) => firstLayerOf(n) !== undefined);

test("whatever the bytes and the link type, a packet is at most one flow for each 20 bytes of it", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...LINK_TYPES),
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc
          .tuple(fc.constantFrom(...FRAMES), turns, fc.nat(220))
          .map(([frame, changes, length]) => turned(frame, changes, length)),
      ),
      (linkType, bytes) => {
        const meter = new FlowMeter({ collector: "test", boot: "boot", maxFlows: 1000 });
        // The bytes around the packet are another's: nothing of them may be read.
        const buffer = bytesOf(new Uint8Array(64).fill(0x45), bytes, new Uint8Array(64).fill(0x45));
        meter.add(firstLayerOf(linkType) as number, buffer, 64, bytes.length, bytes.length, 0);
        const alone = [...meter.exportAll({ dropped: 0 })];
        const again = new FlowMeter({ collector: "test", boot: "boot", maxFlows: 1000 });
        again.add(firstLayerOf(linkType) as number, bytes, 0, bytes.length, bytes.length, 0);
        assert.deepEqual([...again.exportAll({ dropped: 0 })], alone);
        const rows = alone.reduce((sum, { length }) => sum + length, 0);
        assert.ok(rows * 20 <= bytes.length, `${rows} flows of ${bytes.length} bytes`);
      },
    ),
    { numRuns: 3000 },
  );
});

test("a capture with turned bits, or cut anywhere, gives flows or one error, and never more packets than it has", async () => {
  const file = pcap(
    FRAMES.map((bytes, i) => ({ atUs: 1_700_000_000_000_000 + i, bytes })),
    { linkType: 1 },
  );
  await fc.assert(
    fc.asyncProperty(turns, fc.nat(file.length), async (changes, length) => {
      const { totals } = await readFlows([turned(file, changes, length)]);
      assert.ok(totals.packets <= FRAMES.length + 1);
      assert.ok(totals.errors.length <= 1);
      for (const error of totals.errors) assert.ok(error instanceof CaptureError);
    }),
    { numRuns: 300 },
  );
});

test("random bytes behind a pcapng's first block never throw", async () => {
  const head = [
    0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 28,
    0, 0, 0,
  ];
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const { totals } = await readFlows([bytesOf(head, bytes)]);
      assert.ok(totals.errors.length <= 1);
    }),
    { numRuns: 300 },
  );
});
