import assert from "node:assert/strict";
import test from "node:test";
import { bytesOf, ethernet, FLAGS, ipv4, ipv6, pcap, tcp, u16, u32, udp, vlanTag } from "../packet-builder.js";
import { line, readFlows } from "../read-flows.js";

const AT_US = 1_700_000_000_000_000;
const SYN = tcp(40000, 443, FLAGS.syn, 1);
const INNER = ipv4("10.0.0.1", "10.0.0.2", 6, SYN);
const INNER6 = ipv6("fd00::1", "fd00::2", 6, SYN);
const FLOW = "6 10.0.0.1 40000 > 10.0.0.2 443 1/40 0/0 unanswered syn";
const FLOW6 = "6 fd00::1 40000 > fd00::2 443 1/60 0/0 unanswered syn";
const OUTER = "192.0.2.1>192.0.2.2";

/** Flows of frames, innermost last, which is how the lines are listed here. */
async function flowsOf(frames: readonly Uint8Array[], linkType: number): Promise<string[]> {
  const { flows, totals } = await readFlows([
    pcap(
      frames.map((bytes, i) => ({ atUs: AT_US + i, bytes })),
      { linkType },
    ),
  ]);
  assert.deepEqual(totals.errors, []);
  return [...flows].sort((a, b) => a.depth - b.depth).map(line);
}

const outer4 = (protocol: number, payload: Uint8Array) => ipv4("192.0.2.1", "192.0.2.2", protocol, payload);
const outerUdp = (port: number, payload: Uint8Array) => outer4(17, udp(33333, port, payload));

const GRE_OUTER = (length: number) => `47 192.0.2.1 0 > 192.0.2.2 0 1/${length} 0/0 unanswered first-packet`;
const UDP_OUTER = (port: number, length: number) =>
  `17 192.0.2.1 33333 > 192.0.2.2 ${port} 1/${length} 0/0 unanswered service-port`;

for (const [name, packet, wanted] of [
  ["GRE", outer4(47, bytesOf(u16(0), u16(0x0800), INNER)), [GRE_OUTER(64), `${FLOW} gre ${OUTER}`]],
  [
    "GRE with checksum, key and sequence",
    outer4(47, bytesOf(u16(0xb000), u16(0x86dd), u32(0), u32(77), u32(5), INNER6)),
    [GRE_OUTER(96), `${FLOW6} gre 77 ${OUTER}`],
  ],
  [
    "NVGRE",
    outer4(47, bytesOf(u16(0x2000), u16(0x6558), u32(0x00abcd01), ethernet(0x0800, INNER))),
    [GRE_OUTER(82), `${FLOW} nvgre 43981 ${OUTER}`],
  ],
  [
    "PPTP",
    outer4(47, bytesOf(u16(0x3001), u16(0x880b), u16(44), u16(9), u32(1), [0xff, 0x03], u16(0x0021), INNER)),
    [GRE_OUTER(76), `${FLOW} pptp 9 ${OUTER}`],
  ],
  [
    "ERSPAN type I",
    outer4(47, bytesOf(u16(0), u16(0x88be), ethernet(0x0800, INNER))),
    [GRE_OUTER(78), `${FLOW} erspan ${OUTER}`],
  ],
  [
    "ERSPAN type II",
    outer4(47, bytesOf(u16(0x1000), u16(0x88be), u32(1), u16(0x1000), u16(12), u32(0), ethernet(0x0800, INNER))),
    [GRE_OUTER(90), `${FLOW} erspan 12 ${OUTER}`],
  ],
  [
    "ERSPAN type III with its subheader",
    outer4(
      47,
      bytesOf(
        u16(0x1000),
        u16(0x22eb),
        u32(1),
        u16(0x2000),
        u16(13),
        u32(0),
        u16(0),
        u16(1),
        u32(0),
        u32(0),
        ethernet(0x0800, INNER),
      ),
    ),
    [GRE_OUTER(102), `${FLOW} erspan 13 ${OUTER}`],
  ],
  [
    "MPLS over GRE",
    outer4(47, bytesOf(u16(0), u16(0x8847), u32((100 << 12) | 0x1ff), INNER)),
    [GRE_OUTER(68), `${FLOW} gre ${OUTER} mpls 100`],
  ],
  [
    "IP in IP",
    outer4(4, INNER),
    [`4 192.0.2.1 0 > 192.0.2.2 0 1/60 0/0 unanswered first-packet`, `${FLOW} ipip ${OUTER}`],
  ],
  [
    "6in4",
    outer4(41, INNER6),
    [`41 192.0.2.1 0 > 192.0.2.2 0 1/80 0/0 unanswered first-packet`, `${FLOW6} 6in4 ${OUTER}`],
  ],
  [
    "4in6",
    ipv6("2001:db8::1", "2001:db8::2", 4, INNER),
    [`4 2001:db8::1 0 > 2001:db8::2 0 1/80 0/0 unanswered first-packet`, `${FLOW} 4in6 2001:db8::1>2001:db8::2`],
  ],
  [
    "VXLAN",
    outerUdp(4789, bytesOf(u32(0x08000000), u32(42 << 8), ethernet(0x0800, INNER))),
    [UDP_OUTER(4789, 90), `${FLOW} vxlan 42 ${OUTER}`],
  ],
  [
    "Geneve with options",
    outerUdp(6081, bytesOf([1, 0], u16(0x6558), u32(43 << 8), u32(0), ethernet(0x0800, INNER))),
    [UDP_OUTER(6081, 94), `${FLOW} geneve 43 ${OUTER}`],
  ],
  [
    "GTP-U with an extension header",
    outerUdp(2152, bytesOf([0x34, 255], u16(0), u32(7), u32(0x85), [1, 0, 0, 0], INNER)),
    [UDP_OUTER(2152, 84), `${FLOW} gtpu 7 ${OUTER}`],
  ],
  [
    "Teredo with an origin indication",
    outerUdp(3544, bytesOf(u16(0), u16(1), u32(0), INNER6)),
    [UDP_OUTER(3544, 96), `${FLOW6} teredo ${OUTER}`],
  ],
  [
    "AYIYA",
    outerUdp(5072, bytesOf([0x44, 0x52, 0x11, 41], u32(0), new Uint8Array(16), new Uint8Array(20), INNER6)),
    [UDP_OUTER(5072, 132), `${FLOW6} ayiya ${OUTER}`],
  ],
  [
    "L2TP",
    outerUdp(1701, bytesOf(u16(0x4002), u16(50), u16(3), u16(4), [0xff, 0x03], u16(0x0021), INNER)),
    [UDP_OUTER(1701, 80), `${FLOW} l2tp ${(3 << 16) | 4} ${OUTER}`],
  ],
  [
    "EtherIP",
    outer4(97, bytesOf([0x30, 0], ethernet(0x0800, INNER))),
    [`97 192.0.2.1 0 > 192.0.2.2 0 1/76 0/0 unanswered first-packet`, `${FLOW} etherip ${OUTER}`],
  ],
  [
    "authentication header",
    ipv4("10.0.0.1", "10.0.0.2", 51, bytesOf([6, 4], u16(0), u32(1), u32(1), new Uint8Array(12), SYN)),
    [
      "51 10.0.0.1 0 > 10.0.0.2 0 1/64 0/0 unanswered first-packet",
      "6 10.0.0.1 40000 > 10.0.0.2 443 1/64 0/0 unanswered syn ah 10.0.0.1>10.0.0.2",
    ],
  ],
] as const) {
  test(`${name} gives a flow for each IP header, with what encloses it`, async () => {
    assert.deepEqual(await flowsOf([packet], 101), wanted);
  });
}

test("both directions of a tunnelled connection are one flow though their tunnel numbers differ", async () => {
  const gtp = (from: string, to: string, id: number, payload: Uint8Array) =>
    ipv4(from, to, 17, udp(2152, 2152, bytesOf([0x30, 255], u16(payload.length), u32(id), payload)));
  const answer = ipv4("10.0.0.2", "10.0.0.1", 6, tcp(443, 40000, FLAGS.syn | FLAGS.ack, 1));
  assert.deepEqual(
    await flowsOf([gtp("192.0.2.1", "192.0.2.2", 7, INNER), gtp("192.0.2.2", "192.0.2.1", 8, answer)], 101),
    [
      "17 192.0.2.1 2152 > 192.0.2.2 2152 1/76 1/76 answered first-packet",
      "6 10.0.0.1 40000 > 10.0.0.2 443 1/40 1/40 answered syn gtpu 7 192.0.2.1>192.0.2.2",
    ],
  );
  // Seen from the answer on, the tunnel is told as the originator sends through it.
  const [, inner] = await flowsOf([gtp("192.0.2.2", "192.0.2.1", 8, answer)], 101);
  assert.equal(inner, "6 10.0.0.1 40000 > 10.0.0.2 443 0/0 1/40 answered syn-ack gtpu 8 192.0.2.1>192.0.2.2");
});

test("equal addresses in two virtual networks are two flows", async () => {
  const vxlan = (id: number) => outerUdp(4789, bytesOf(u32(0x08000000), u32(id << 8), ethernet(0x0800, INNER)));
  const lines = await flowsOf([vxlan(1), vxlan(2)], 101);
  assert.deepEqual(lines.slice(1), [`${FLOW} vxlan 1 ${OUTER}`, `${FLOW} vxlan 2 ${OUTER}`]);
});

test("an inner packet that is longer than what encloses it is not believed", async () => {
  const lie = ipv4("10.0.0.1", "10.0.0.2", 6, SYN, { total: 1400 });
  assert.deepEqual(await flowsOf([outer4(4, lie)], 101), [
    "4 192.0.2.1 0 > 192.0.2.2 0 1/60 0/0 unanswered first-packet",
  ]);
});

const FRAME = ethernet(0x0800, INNER);
const SNAP = bytesOf([0xaa, 0xaa, 3, 0, 0, 0], u16(0x0800), INNER);

for (const [name, frame, scope] of [
  ["a VLAN tag", ethernet(0x8100, vlanTag(10, 0x0800, INNER)), " vlan 10"],
  ["two VLAN tags", ethernet(0x88a8, vlanTag(20, 0x8100, vlanTag(0xf00a, 0x0800, INNER))), " vlan 20,10"],
  ["a priority tag", ethernet(0x8100, vlanTag(0xe000, 0x0800, INNER)), ""],
  ["MPLS", ethernet(0x8847, bytesOf(u32((17 << 12) | 0xff), u32((18 << 12) | 0x1ff), INNER)), " mpls 17 mpls 18"],
  ["an MPLS pseudowire", ethernet(0x8847, bytesOf(u32((17 << 12) | 0x1ff), u32(0), FRAME)), " mpls 17"],
  ["PPPoE", ethernet(0x8864, bytesOf([0x11, 0], u16(5), u16(42), u16(0x0021), INNER)), " pppoe 5"],
  ["PBB", ethernet(0x88e7, bytesOf(u32(258), FRAME)), " pbb 258"],
  ["VN-Tag", ethernet(0x8926, bytesOf(u32(0), u16(0x0800), INNER)), " vntag"],
  ["an E-Tag", ethernet(0x893f, bytesOf(u32(0), u16(0), u16(0x0800), INNER)), ""],
  ["an HSR tag", ethernet(0x892f, bytesOf(u32(0), u16(0x0800), INNER)), ""],
  ["Cisco metadata", ethernet(0x8909, bytesOf(u32(0), u16(0), u16(0x0800), INNER)), ""],
  ["MACsec that only signs", ethernet(0x88e5, bytesOf([0x20, 0], u32(1), u32(0), u32(0), u16(0x0800), INNER)), ""],
  ["FabricPath", ethernet(0x8903, bytesOf(u16(0), FRAME)), " fabricpath"],
  ["TRILL", ethernet(0x22f3, bytesOf(u16(0), u32(0), FRAME)), " trill"],
  ["a network service header", ethernet(0x894f, bytesOf([0, 2, 1, 1], u32(0), INNER)), ""],
  [
    "ISL",
    bytesOf([1, 0, 0x0c, 0, 0, 0], new Uint8Array(6), u16(70), new Uint8Array(6), u16(9 << 1), u32(0), FRAME),
    " vlan 9",
  ],
  ["802.3 with SNAP", ethernet(48, SNAP), ""],
  ["padding behind the packet", bytesOf(FRAME, new Uint8Array(18)), ""],
] as const) {
  test(`Ethernet with ${name} is seen through`, async () => {
    assert.deepEqual(await flowsOf([frame], 1), [FLOW + scope]);
  });
}

const WLAN = bytesOf([0x88, 0x01, 0, 0], new Uint8Array(18), u16(0), u16(0), SNAP);

for (const [name, linkType, frame] of [
  ["null, little-endian", 0, bytesOf([2, 0, 0, 0], INNER)],
  ["null, big-endian", 0, bytesOf([0, 0, 0, 2], INNER)],
  ["loop", 108, bytesOf([0, 0, 0, 2], INNER)],
  ["PPP", 9, bytesOf([0xff, 3], u16(0x0021), INNER)],
  ["PPP without address and with a short protocol", 9, bytesOf([0x21], INNER)],
  ["raw", 12, INNER],
  ["raw IPv4", 228, INNER],
  ["Cisco HDLC", 104, bytesOf([0x0f, 0], u16(0x0800), INNER)],
  ["802.11", 105, WLAN],
  ["radiotap", 127, bytesOf([0, 0, 8, 0, 0, 0, 0, 0], WLAN)],
  ["prism", 119, bytesOf([0x44, 0, 0, 0, 144, 0, 0, 0], new Uint8Array(136), WLAN)],
  ["frame relay", 107, bytesOf([0x04, 0x01, 0x03, 0xcc], INNER)],
  ["frame relay as Cisco frames it", 107, bytesOf([0x04, 0x01], u16(0x0800), INNER)],
  ["Linux cooked", 113, bytesOf(u16(0), u16(1), u16(6), new Uint8Array(8), u16(0x0800), INNER)],
  ["Linux cooked, version 2", 276, bytesOf(u16(0x0800), u16(0), u32(1), u16(1), [0, 6], new Uint8Array(8), INNER)],
  ["packet filter log", 117, bytesOf([61, 2], new Uint8Array(62), INNER)],
  ["PPI around Ethernet", 192, bytesOf([0, 0, 8, 0, 1, 0, 0, 0], FRAME)],
  ["netfilter log", 239, bytesOf([2, 0, 0, 0], [8, 0, 1, 0, 0, 0, 0, 0], [44, 0, 9, 0], INNER)],
  ["token ring", 6, bytesOf([0x10, 0x40], new Uint8Array(12), SNAP)],
  ["FDDI", 10, bytesOf([0x50], new Uint8Array(12), SNAP)],
  ["ERF", 197, bytesOf(new Uint8Array(8), [2, 0], new Uint8Array(6), [0, 0], FRAME)],
] as const) {
  test(`link type ${linkType}, ${name}, carries IP`, async () => {
    assert.deepEqual(
      (await flowsOf([frame], linkType)).map((text) => text.replace(/ mpls.*/, "")),
      [FLOW],
    );
  });
}

test("MACsec that encrypts, and VLAN-tagged ARP, are no IP and no fault", async () => {
  for (const frame of [
    ethernet(0x88e5, bytesOf([0x2c, 0], u32(1), u32(0), u32(0), u16(0x0800), INNER)),
    ethernet(0x8100, vlanTag(7, 0x0806, new Uint8Array(28))),
  ]) {
    const { flows, totals } = await readFlows([pcap([{ atUs: AT_US, bytes: frame }], { linkType: 1 })]);
    assert.deepEqual(flows, []);
    assert.equal(totals.dropped["not-ip"], 1);
  }
});

test("extension headers of IPv6 are stepped over, and a flood of them is not", async () => {
  const options = (next: number) => bytesOf([next, 0], new Uint8Array(6));
  const chain = bytesOf(options(43), options(60), options(51), [6, 4], new Uint8Array(22), SYN);
  assert.deepEqual(await flowsOf([ipv6("fd00::1", "fd00::2", 0, chain)], 101), [FLOW6.replace("1/60", "1/108")]);
  const flood = bytesOf(...Array.from({ length: 40 }, () => options(60)), SYN);
  const { flows, totals } = await readFlows([pcap([{ atUs: AT_US, bytes: ipv6("fd00::1", "fd00::2", 60, flood) }])]);
  assert.deepEqual(flows, []);
  assert.equal(totals.dropped["too-deep"], 1);
});

test("IPv4 options are stepped over; a total length of 0 is what the wire carried", async () => {
  const options = ipv4("10.0.0.1", "10.0.0.2", 6, SYN, { options: [1, 1, 1, 0] });
  assert.deepEqual(await flowsOf([options], 101), [FLOW.replace("1/40", "1/44")]);
  const offloaded = ipv4("10.0.0.1", "10.0.0.2", 6, SYN, { total: 0 });
  const file = pcap([{ atUs: AT_US, bytes: offloaded, wireLength: 65_000 }]);
  assert.equal((await readFlows([file])).flows[0]?.originator.bytes, 65_000);
});
