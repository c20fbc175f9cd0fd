import assert from "node:assert/strict";
import test from "node:test";
import { readSamplePacket } from "../../enforcer/sample-packet.js";
import { formatAddress } from "../../model/address.js";
import { craftPacket } from "../policy/craft-packet.js";

function field(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(4 + value.length, 0);
  head.writeUInt16LE(type, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

const PACKET = craftPacket({ id: 5, source: "10.0.0.1", destination: "10.0.0.2", protocol: 6, port: 443, icmpCode: 0 });
const ICMP = craftPacket({ id: 5, source: "fd00::1", destination: "fd00::2", protocol: 58, port: 128, icmpCode: 0 });

function logged(prefix: string, packet: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([2, 0, 0, 77]),
    field(10, Buffer.from(`${prefix}\0`)),
    field(4, Buffer.from([0, 0, 0, 3])),
    field(9, packet),
  ]);
}

test("readSamplePacket() reads who, whom, what and on whose behalf", () => {
  const found = readSamplePacket(logged("portolan shop in ", PACKET));
  assert.ok(found !== undefined);
  const { scope, direction, protocol, port, clientPort } = found;
  assert.deepEqual(
    [scope, direction, protocol, port, clientPort, found.interface],
    ["shop", "ingress", 6, 443, 40_005, "3"],
  );
  assert.equal(`${formatAddress(found.source)} ${formatAddress(found.destination)}`, "10.0.0.1 10.0.0.2");
});

test("readSamplePacket() tells ICMP by type and code", () => {
  const found = readSamplePacket(logged("portolan shop from ", ICMP));
  assert.deepEqual([found?.direction, found?.protocol, found?.port, found?.clientPort], ["egress", 58, 128 << 8, 0]);
});

test("readSamplePacket() leaves alone what somebody else logged to our group", () => {
  for (const prefix of ["DROP ", "portolan ../x in ", "portolan shop sideways "]) {
    assert.equal(readSamplePacket(logged(prefix, PACKET)), undefined);
  }
});

test("readSamplePacket() never reads past the end, wherever the bytes are cut or what they become", () => {
  const whole = logged("portolan shop in ", PACKET);
  for (let length = 0; length < whole.length; length++) {
    readSamplePacket(whole.subarray(0, length));
    for (const value of [0, 1, 255]) {
      const changed = Buffer.from(whole);
      changed[length] = value;
      readSamplePacket(changed);
    }
  }
  assert.equal(readSamplePacket(whole.subarray(0, whole.length - PACKET.length + 19)), undefined);
});
