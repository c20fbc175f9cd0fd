import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { type BuiltPacket, block, bytesOf, ipv4, pcap, u16, u32, udp } from "../packet-builder.js";
import { line, readFlows } from "../read-flows.js";

const AT_US = 1_700_000_000_123_456;
const QUERY: BuiltPacket = { atUs: AT_US, bytes: ipv4("10.0.0.1", "10.0.0.2", 17, udp(40000, 9)) };
const REPLY: BuiltPacket = { atUs: AT_US + 250, bytes: ipv4("10.0.0.2", "10.0.0.1", 17, udp(9, 40000)) };
const FLOW = "17 10.0.0.1 40000 > 10.0.0.2 9 1/36 1/36 answered service-port";

for (const isLittle of [true, false]) {
  for (const [name, magic] of [
    ["microseconds", 0xa1b2c3d4],
    ["nanoseconds", 0xa1b23c4d],
    ["modified", 0xa1b2cd34],
  ] as const) {
    test(`a ${isLittle ? "little" : "big"}-endian pcap of kind ${name} gives its flows and times`, async () => {
      const { flows, totals } = await readFlows([pcap([QUERY, REPLY], { isLittle, magic })]);
      assert.deepEqual(flows.map(line), [FLOW]);
      assert.equal(flows[0]?.startUs, AT_US);
      assert.equal(flows[0]?.endUs, AT_US + 250);
      assert.deepEqual(totals.errors, []);
    });
  }
}

test("a pcap before version 2.3 has its two lengths the other way round", async () => {
  const file = pcap([{ ...QUERY, wireLength: 1000 }], { minor: 2 });
  // Written as captured, wire; read as wire, captured: so the lengths are swapped in the file.
  const view = new DataView(file.buffer);
  const captured = view.getUint32(24 + 8, true);
  view.setUint32(24 + 8, 1000, true);
  view.setUint32(24 + 12, captured, true);
  const { totals } = await readFlows([file]);
  assert.equal(totals.wireBytes, 1000);
});

interface NgOptions {
  readonly isLittle?: boolean;
  readonly resolution?: number;
  readonly offsetSeconds?: number;
}

function section(isLittle: boolean): Uint8Array {
  const order = (bytes: readonly number[]) => (isLittle ? [...bytes].reverse() : bytes);
  return block(
    0x0a0d0d0a,
    bytesOf(order(u32(0x1a2b3c4d)), order(u16(1)), order(u16(0)), [255, 255, 255, 255, 255, 255, 255, 255]),
    isLittle,
  );
}

function describe(linkType: number, { isLittle = true, resolution, offsetSeconds }: NgOptions): Uint8Array {
  const order = (bytes: readonly number[]) => (isLittle ? [...bytes].reverse() : bytes);
  const option = (code: number, value: readonly number[]) =>
    bytesOf(order(u16(code)), order(u16(value.length)), value, new Uint8Array((4 - (value.length % 4)) % 4));
  return block(
    1,
    bytesOf(
      order(u16(linkType)),
      order(u16(0)),
      order(u32(0)),
      resolution === undefined ? [] : option(9, [resolution]),
      offsetSeconds === undefined ? [] : option(14, order([0, 0, 0, 0, ...u32(offsetSeconds)])),
      [0, 0, 0, 0],
    ),
    isLittle,
  );
}

function enhanced(interfaceId: number, units: bigint, bytes: Uint8Array, isLittle: boolean): Uint8Array {
  const word = (value: number) => (isLittle ? [...u32(value)].reverse() : u32(value));
  const high = Number(units >> 32n);
  const low = Number(units & 0xffffffffn);
  const padding = new Uint8Array((4 - (bytes.length % 4)) % 4);
  return block(
    6,
    bytesOf(word(interfaceId), word(high), word(low), word(bytes.length), word(bytes.length), bytes, padding),
    isLittle,
  );
}

for (const isLittle of [true, false]) {
  test(`a ${isLittle ? "little" : "big"}-endian pcapng gives the times that each interface's clock means`, async () => {
    for (const [options, unitsOf] of [
      [{}, (us: bigint) => us],
      [{ resolution: 9 }, (us: bigint) => us * 1000n],
      [{ resolution: 3 }, (us: bigint) => us / 1000n],
      [{ resolution: 0x80 + 20 }, (us: bigint) => (us << 20n) / 1_000_000n],
      [{ offsetSeconds: 1_700_000_000 }, (us: bigint) => us - 1_700_000_000_000_000n],
    ] as const) {
      const whole = 1_700_000_000_125_000; // an eighth of a second, which milliseconds and binary fractions tell exactly
      const file = bytesOf(
        section(isLittle),
        describe(147, { isLittle }),
        describe(101, { ...options, isLittle }),
        enhanced(1, unitsOf(BigInt(whole)), QUERY.bytes, isLittle),
      );
      const { flows } = await readFlows([file]);
      assert.equal(flows[0]?.startUs, whole, JSON.stringify(options));
    }
  });
}

test("sections may change the byte order, and their interfaces are their own", async () => {
  const { flows, totals } = await readFlows([
    bytesOf(
      section(true),
      describe(101, {}),
      enhanced(0, BigInt(AT_US), QUERY.bytes, true),
      section(false),
      describe(1, { isLittle: false }),
      describe(101, { isLittle: false }),
      enhanced(1, BigInt(AT_US + 250), REPLY.bytes, false),
    ),
  ]);
  assert.deepEqual(flows.map(line), [FLOW]);
  assert.deepEqual(totals.errors, []);
});

test("unknown blocks are stepped over; simple and obsolete packets are read", async () => {
  const word = (value: number) => [...u32(value)].reverse();
  const obsolete = bytesOf(
    [0, 0, 5, 0],
    word(Math.floor(AT_US / 2 ** 32)),
    word(AT_US % 2 ** 32),
    word(36),
    word(36),
    QUERY.bytes,
  );
  const { flows, totals } = await readFlows([
    bytesOf(
      section(true),
      describe(101, {}),
      block(0xbad, bytesOf([1, 2, 3])),
      block(4, new Uint8Array(4)),
      block(2, obsolete),
      block(3, bytesOf(word(36), REPLY.bytes)),
    ),
  ]);
  assert.deepEqual(flows.map(line), [FLOW]);
  assert.equal(totals.lost, 5); // the obsolete packet block counts drops
});

test("interface statistics tell what the capture lost", async () => {
  const statistics = block(5, bytesOf(new Uint8Array(12), [5, 0, 8, 0], [7, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0]));
  const { totals, batches } = await readFlows([
    bytesOf(section(true), describe(101, {}), enhanced(0, BigInt(AT_US), QUERY.bytes, true), statistics),
  ]);
  assert.equal(totals.lost, 7);
  assert.equal(batches[0]?.loss.dropped, 7);
  assert.equal((await readFlows([pcap([QUERY])])).totals.lost, "unknown");
});

test("a gzip file is known by its bytes", async () => {
  const { flows } = await readFlows([gzipSync(pcap([QUERY, REPLY]))]);
  assert.deepEqual(flows.map(line), [FLOW]);
});

test("a truncated capture keeps the flows before the cut, and says where it ends", async () => {
  const file = pcap([QUERY, REPLY]);
  for (const cut of [file, gzipSync(file)].map((bytes) => bytes.subarray(0, bytes.length - 10))) {
    const { flows, totals } = await readFlows([cut]);
    assert.equal(flows.length, 1);
    assert.deepEqual(
      totals.errors.map(({ code }) => code),
      ["truncated"],
    );
    assert.match(totals.errors[0]?.message ?? "", /^Cannot (read|unpack) capture ".*0\.pcap" to its end: [^\n]*$/);
  }
});

test("what cannot be read is told in one line with a stable code, and the other files are read", async () => {
  for (const [code, bytes] of [
    ["empty", new Uint8Array()],
    ["not-a-capture", bytesOf(0xd4, 0xc3)],
    ["not-a-capture", new TextEncoder().encode("GET / HTTP/1.1\r\n")],
    ["truncated", pcap([]).subarray(0, 20)],
    ["unknown-link-type", pcap([QUERY], { linkType: 147 })],
    ["damaged", bytesOf(pcap([]), u32(0), u32(0), u32(0x7fffffff), u32(0))],
    ["damaged", bytesOf(section(true), block(6, new Uint8Array(20)))],
    ["damaged", gzipSync(pcap([QUERY])).map((byte, i) => (i === 12 ? byte ^ 255 : byte))],
  ] as const) {
    const { flows, totals } = await readFlows([bytes, pcap([QUERY, REPLY])]);
    assert.deepEqual(
      totals.errors.map((error) => error.code),
      [code],
    );
    assert.doesNotMatch(totals.errors[0]?.message ?? "", /\n/);
    assert.equal(flows.at(-1)?.responder.packets, 1);
  }
  const missing = await readFlows([]);
  assert.equal(missing.flows.length, 0);
});

test("an unknown link type is named by its number", async () => {
  const { totals } = await readFlows([pcap([QUERY], { linkType: 189 })]);
  assert.match(totals.errors[0]?.message ?? "", /link type 189 is not known/);
});

test("a record larger than the read buffer is read whole", async () => {
  const large: BuiltPacket = { atUs: AT_US, bytes: bytesOf(QUERY.bytes, new Uint8Array(3_000_000)) };
  const { flows, totals } = await readFlows([pcap([large, REPLY])]);
  assert.deepEqual(flows.map(line), [FLOW]);
  assert.deepEqual(totals.errors, []);
});
