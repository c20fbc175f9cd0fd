import assert from "node:assert/strict";
import test from "node:test";
import { type BuiltPacket, bytesOf, FLAGS, icmp, ipv4, ipv6, pcap, tcp, u16, u32, udp } from "./packet-builder.js";
import { line, readFlows } from "./read-flows.js";

const { fin, syn, rst, psh, ack } = FLAGS;
const SECOND = 1_000_000;
const START_US = 1_700_000_000_000_000;

/** A TCP packet: `>` from 10.0.0.1:40000, `<` from 10.0.0.2:443. */
function segment(atUs: number, way: ">" | "<", flags: number, sequence = 0, payload = ""): BuiltPacket {
  const bytes =
    way === ">"
      ? ipv4("10.0.0.1", "10.0.0.2", 6, tcp(40000, 443, flags, sequence, payload))
      : ipv4("10.0.0.2", "10.0.0.1", 6, tcp(443, 40000, flags, sequence, payload));
  return { atUs: START_US + atUs, bytes };
}

const OPEN = [segment(0, ">", syn, 100), segment(1, "<", syn | ack, 900), segment(2, ">", ack, 101)];
const CLOSE = [segment(5, ">", fin | ack, 101), segment(6, "<", fin | ack, 901), segment(7, ">", ack, 102)];

async function linesOf(packets: readonly BuiltPacket[]): Promise<string[]> {
  return (await readFlows([pcap(packets)])).flows.map(line);
}

const TO = "6 10.0.0.1 40000 > 10.0.0.2 443";

for (const [name, packets, wanted] of [
  ["a whole connection is one answered flow", [...OPEN, ...CLOSE], [`${TO} 4/160 2/80 answered syn`]],
  ["a SYN that a RST answers was refused", [OPEN[0], segment(1, "<", rst | ack)], [`${TO} 1/40 1/40 refused syn`]],
  ["a SYN alone is unanswered", [OPEN[0]], [`${TO} 1/40 0/0 unanswered syn`]],
  ["a SYN sent again is still one flow", [OPEN[0], segment(SECOND, ">", syn, 100)], [`${TO} 2/80 0/0 unanswered syn`]],
  ["of a SYN-ACK alone the sender is the responder", [OPEN[1]], [`${TO} 0/0 1/40 answered syn-ack`]],
  [
    "a connection seen from its middle is midstream, its direction a guess by the service port",
    [segment(0, "<", ack | psh, 5, "data"), segment(1, ">", ack)],
    [`${TO} 1/40 1/44 midstream service-port`],
  ],
  [
    "data both ways after a SYN is an answer though the SYN-ACK was lost",
    [OPEN[0], segment(2, ">", ack | psh, 101, "ask"), segment(3, "<", ack | psh, 901, "told")],
    [`${TO} 2/83 1/44 answered syn`],
  ],
  ["an answer that is aborted later was an answer", [...OPEN, segment(3, "<", rst)], [`${TO} 2/80 2/80 answered syn`]],
  [
    "late packets join a closed connection",
    [...OPEN, ...CLOSE, segment(60 * SECOND, "<", fin | ack, 901)],
    [`${TO} 4/160 3/120 answered syn`],
  ],
  [
    "a new SYN on a closed tuple is a new flow",
    [...OPEN, ...CLOSE, segment(SECOND, ">", syn, 5000)],
    [`${TO} 4/160 2/80 answered syn`, `${TO} 1/40 0/0 unanswered syn`],
  ],
  [
    "the SYN of a closed connection that comes late is not a new flow",
    [...OPEN, ...CLOSE, segment(SECOND, ">", syn, 100)],
    [`${TO} 5/200 2/80 answered syn`],
  ],
  [
    "a new SYN after a long silence is a new flow though nothing closed",
    [...OPEN, segment(90 * SECOND, ">", syn, 7000)],
    [`${TO} 2/80 1/40 answered syn`, `${TO} 1/40 0/0 unanswered syn`],
  ],
  [
    "an open connection may be silent for most of an hour",
    [...OPEN, segment(3500 * SECOND, ">", ack, 101)],
    [`${TO} 3/120 1/40 answered syn`],
  ],
  [
    "after two hours of silence it is another flow, of which the opening was not seen",
    [...OPEN, segment(7200 * SECOND, "<", ack, 901)],
    [`${TO} 2/80 1/40 answered syn`, `${TO} 0/0 1/40 midstream service-port`],
  ],
  [
    "a SYN that its answer overtook gives the evidence all the same",
    [segment(0, "<", syn | ack, 900), segment(20, ">", syn, 100)],
    [`${TO} 1/40 1/40 answered syn`],
  ],
  [
    "the end of an old connection does not swallow the next one",
    [segment(0, ">", fin | ack, 50), segment(5 * SECOND, ">", syn, 100)],
    [`${TO} 1/40 0/0 midstream service-port`, `${TO} 1/40 0/0 unanswered syn`],
  ],
] as const) {
  test(name, async () => {
    assert.deepEqual(await linesOf(packets as readonly BuiltPacket[]), wanted);
  });
}

function datagram(
  atUs: number,
  from: string,
  to: string,
  payload: Uint8Array,
  ports: readonly [number, number],
): BuiltPacket {
  return { atUs: START_US + atUs, bytes: ipv4(from, to, 17, udp(ports[0], ports[1], payload)) };
}

test("a DNS answer tells its direction even when the question was not seen", async () => {
  const answer = bytesOf([0, 1, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(await linesOf([datagram(0, "10.0.0.2", "10.0.0.1", answer, [53, 999])]), [
    "17 10.0.0.1 999 > 10.0.0.2 53 0/0 1/40 answered request",
  ]);
});

test("a datagram from a service port that tells nothing is midstream, and guessed", async () => {
  assert.deepEqual(await linesOf([datagram(0, "10.0.0.2", "10.0.0.1", new Uint8Array(4), [514, 50000])]), [
    "17 10.0.0.1 50000 > 10.0.0.2 514 0/0 1/32 midstream service-port",
  ]);
});

test("UDP is over after five minutes of silence", async () => {
  const packets = [0, 299 * SECOND, 700 * SECOND].map((at) =>
    datagram(at, "10.0.0.1", "10.0.0.2", new Uint8Array(4), [123, 123]),
  );
  assert.deepEqual(await linesOf(packets), [
    "17 10.0.0.1 123 > 10.0.0.2 123 2/64 0/0 unanswered first-packet",
    "17 10.0.0.1 123 > 10.0.0.2 123 1/32 0/0 unanswered first-packet",
  ]);
});

test("an ICMP error is a flow of its own and refuses the one it is about, once", async () => {
  const asked = ipv4("10.0.0.1", "10.0.0.2", 17, udp(40000, 9));
  const error = ipv4("10.0.0.9", "10.0.0.1", 1, icmp(3, 13, asked));
  assert.deepEqual(
    await linesOf([
      { atUs: START_US, bytes: asked },
      { atUs: START_US + 1, bytes: error },
    ]),
    [
      "17 10.0.0.1 40000 > 10.0.0.2 9 1/36 0/0 refused service-port",
      "1 10.0.0.9 0 > 10.0.0.1 0 1/64 0/0 unanswered request",
    ],
  );
});

test("an error about the responder's packet does not refuse the flow, nor does one that asks for smaller packets", async () => {
  const asked = ipv4("10.0.0.1", "10.0.0.2", 17, udp(40000, 9));
  const reply = ipv4("10.0.0.2", "10.0.0.1", 17, udp(9, 40000));
  for (const error of [icmp(3, 3, reply), icmp(3, 4, asked), icmp(11, 0, asked)]) {
    const [flow] = await linesOf([
      { atUs: START_US, bytes: asked },
      { atUs: START_US + 1, bytes: ipv4("10.0.0.1", "10.0.0.2", 1, error) },
    ]);
    assert.equal(flow, "17 10.0.0.1 40000 > 10.0.0.2 9 1/36 0/0 unanswered service-port");
  }
});

test("an echo and its reply are one flow, also when the reply comes first", async () => {
  const echo = { atUs: START_US, bytes: ipv4("10.0.0.1", "10.0.0.2", 1, icmp(8, 0)) };
  const reply = { atUs: START_US + 1, bytes: ipv4("10.0.0.2", "10.0.0.1", 1, icmp(0, 0)) };
  for (const packets of [
    [echo, reply],
    [reply, echo],
  ]) {
    const { flows } = await readFlows([pcap(packets)]);
    assert.deepEqual(flows.map(line), ["1 10.0.0.1 0 > 10.0.0.2 0 1/32 1/32 answered request"]);
    assert.deepEqual(flows[0]?.icmp, { type: 8, code: 0 });
  }
  const v6 = await readFlows([
    pcap([
      { atUs: START_US, bytes: ipv6("fd00::1", "fd00::2", 58, icmp(128, 0)) },
      { atUs: START_US, bytes: ipv6("fd00::2", "fd00::1", 58, icmp(129, 0)) },
    ]),
  ]);
  assert.deepEqual(v6.flows.map(line), ["58 fd00::1 0 > fd00::2 0 1/52 1/52 answered request"]);
});

test("an SCTP association is answered by INIT ACK and refused by ABORT", async () => {
  const chunk = (source: number, destination: number, type: number) =>
    bytesOf(u16(source), u16(destination), u32(0), u32(0), [type, 0, 0, 4]);
  const init = { atUs: START_US, bytes: ipv4("10.0.0.1", "10.0.0.2", 132, chunk(5000, 36412, 1)) };
  const answer = (type: number) => ({
    atUs: START_US + 1,
    bytes: ipv4("10.0.0.2", "10.0.0.1", 132, chunk(36412, 5000, type)),
  });
  assert.deepEqual(await linesOf([init, answer(2)]), ["132 10.0.0.1 5000 > 10.0.0.2 36412 1/36 1/36 answered init"]);
  assert.deepEqual(await linesOf([init, answer(6)]), ["132 10.0.0.1 5000 > 10.0.0.2 36412 1/36 1/36 refused init"]);
  assert.deepEqual(await linesOf([answer(2)]), ["132 10.0.0.1 5000 > 10.0.0.2 36412 0/0 1/36 answered init"]);
});

test("where neither flags nor ports tell, the sender of the first packet is taken for the originator", async () => {
  const bytes = ipv4("10.0.0.2", "10.0.0.1", 6, tcp(50001, 50000, ack, 1));
  assert.deepEqual(await linesOf([{ atUs: START_US, bytes }]), [
    "6 10.0.0.2 50001 > 10.0.0.1 50000 1/40 0/0 midstream first-packet",
  ]);
});

test("fragments are counted with their datagram, whichever comes first", async () => {
  const whole = udp(40000, 2049, new Uint8Array(40));
  const first = ipv4("10.0.0.1", "10.0.0.2", 17, whole.subarray(0, 24), { id: 7, fragment: 0x2000 });
  const last = ipv4("10.0.0.1", "10.0.0.2", 17, whole.subarray(24), { id: 7, fragment: 3 });
  for (const order of [
    [first, last],
    [last, first],
  ]) {
    assert.deepEqual(await linesOf(order.map((bytes, i) => ({ atUs: START_US + i, bytes }))), [
      "17 10.0.0.1 40000 > 10.0.0.2 2049 2/88 0/0 unanswered service-port",
    ]);
  }
  const orphan = await readFlows([pcap([{ atUs: START_US, bytes: last }])]);
  assert.deepEqual(orphan.flows, []);
  assert.equal(orphan.totals.dropped["orphan-fragment"], 1);
});

test("IPv6 fragments are counted with their datagram", async () => {
  const whole = udp(40000, 2049, new Uint8Array(40));
  const header = (position: number, isMore: boolean) => bytesOf([17, 0], u16(position | (isMore ? 1 : 0)), u32(99));
  const first = ipv6("fd00::1", "fd00::2", 44, bytesOf(header(0, true), whole.subarray(0, 24)));
  const last = ipv6("fd00::1", "fd00::2", 44, bytesOf(header(24, false), whole.subarray(24)));
  assert.deepEqual(await linesOf([first, last].map((bytes, i) => ({ atUs: START_US + i, bytes }))), [
    "17 fd00::1 40000 > fd00::2 2049 2/144 0/0 unanswered service-port",
  ]);
});

test("when the table is at its limit the longest silent flows are exported early, and counted", async () => {
  const packets = Array.from({ length: 5000 }, (_, i) =>
    datagram(i * 1000, "10.0.0.1", "10.0.0.2", new Uint8Array(4), [1 + i, 9]),
  );
  const { flows, totals } = await readFlows([pcap(packets)], { maxFlows: 1000 });
  assert.equal(flows.length, 5000);
  assert.ok(totals.evicted > 0);
  assert.equal(
    flows.reduce((sum, flow) => sum + flow.originator.packets, 0),
    5000,
  );
});
