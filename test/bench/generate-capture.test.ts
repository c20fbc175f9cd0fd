import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { generateCapture, type TrafficShape, USUAL_TRAFFIC } from "../../bench/generate-capture.js";

function generate(shape: Partial<TrafficShape>) {
  const folder = mkdtempSync(join(tmpdir(), "portolan-generate-"));
  try {
    const path = join(folder, "made.pcap");
    const made = generateCapture(path, { ...USUAL_TRAFFIC, ...shape });
    return { made, bytes: readFileSync(path) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Frame {
  readonly timeUs: number;
  readonly length: number;
  readonly bytes: Buffer;
}

function frames(file: Buffer): Frame[] {
  const found: Frame[] = [];
  for (let at = 24; at < file.length; ) {
    const captured = file.readUInt32LE(at + 8);
    found.push({
      timeUs: file.readUInt32LE(at) * 1_000_000 + file.readUInt32LE(at + 4),
      length: file.readUInt32LE(at + 12),
      bytes: file.subarray(at + 16, at + 16 + captured),
    });
    at += 16 + captured;
  }
  return found;
}

/** The Internet checksum's sum over whole and half words; 0xffff where the checksum inside is right (RFC 1071). */
function onesSum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += ((part[at] as number) << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

test("the capture holds exactly the packets asked for, in order of time, with the bytes it claims", () => {
  const { made, bytes } = generate({ packets: 5000 });
  const all = frames(bytes);
  assert.equal(all.length, 5000);
  assert.equal(made.packets, 5000);
  assert.ok(all.every((frame, i) => i === 0 || frame.timeUs >= (all[i - 1] as Frame).timeUs));
  assert.ok(all.every((frame) => frame.bytes.length === Math.min(96, frame.length)));
  const ipBytes = all.reduce(
    (sum, { bytes: b, length }) => sum + length - (b.readUInt16BE(12) === 0x8100 ? 18 : 14),
    0,
  );
  assert.equal(made.ipBytes, ipBytes);
});

test("equal shapes give equal bytes, other seeds other bytes", () => {
  const first = generate({ packets: 2000 }).bytes;
  assert.ok(first.equals(generate({ packets: 2000 }).bytes));
  assert.ok(!first.equals(generate({ packets: 2000, seed: 2 }).bytes));
});

test("every checksum is right, and every kind of packet occurs", () => {
  const { bytes } = generate({ packets: 5000, snaplen: 65_535 });
  const kinds = new Set<string>();
  for (const { bytes: frame } of frames(bytes)) {
    const isTagged = frame.readUInt16BE(12) === 0x8100;
    const ip = frame.subarray(isTagged ? 18 : 14);
    const isIpv6 = ip[0] === 0x60;
    const protocol = isIpv6 ? (ip[6] as number) : (ip[9] as number);
    const transport = ip.subarray(isIpv6 ? 40 : 20);
    const addresses = isIpv6 ? ip.subarray(8, 40) : ip.subarray(12, 20);
    if (!isIpv6) assert.equal(onesSum(ip.subarray(0, 20)), 0xffff);
    const pseudo = Buffer.from([0, protocol, transport.length >> 8, transport.length & 255]);
    assert.equal(protocol === 1 ? onesSum(transport) : onesSum(addresses, pseudo, transport), 0xffff);
    kinds.add(`${isIpv6 ? 6 : 4} ${protocol}`);
    if (isTagged) kinds.add("vlan");
  }
  assert.deepEqual([...kinds].sort(), ["4 1", "4 17", "4 6", "6 17", "6 58", "6 6", "vlan"]);
});
