import { closeSync, openSync } from "node:fs";
import { PacketWriter, type Side } from "./packet-writer.js";
import { seededRandom, zipf } from "./random.js";

/** What to generate. The same shape gives the same bytes. */
export interface TrafficShape {
  readonly packets: number; // exactly so many; the last flows are cut off
  readonly snaplen: number; // bytes kept of each frame
  readonly clients: number;
  readonly services: number; // chosen after Zipf
  readonly flowsPerSecond: number;
  readonly seed: number;
}

export const USUAL_TRAFFIC: TrafficShape = {
  packets: 5_000_000,
  snaplen: 96,
  clients: 4000,
  services: 300,
  flowsPerSecond: 2000,
  seed: 1,
};

/** What was written, for comparison with what a reader of the file counts. */
export interface GeneratedCapture {
  readonly packets: number;
  readonly flows: number;
  readonly ipBytes: number;
}

const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;

const SERVICE_PORTS = [443, 80, 5432, 6379, 8080, 3306, 9092, 9090, 22, 8443, 27017, 5672, 11211, 389, 2379, 50051];
const FIRST_CLIENT_PORT = 32_768;
const CLIENT_PORTS = 28_000;
const MEAN_DATA_PACKETS = 6.5;
const MSS = 1448;
const START_US = 1_767_225_600_000_000; // 2026-01-01T00:00:00Z
const SYN_RETRY_US = [1_000_000, 2_000_000, 4_000_000];

type Kind = "tcp" | "reset" | "refused" | "syn-only" | "dns" | "udp" | "icmp";
/** Share of each kind among the flows. */
const KINDS: readonly (readonly [Kind, number])[] = [
  ["tcp", 0.6],
  ["reset", 0.05],
  ["refused", 0.05],
  ["syn-only", 0.04],
  ["dns", 0.16],
  ["udp", 0.07],
  ["icmp", 0.03],
];
const IPV6_SHARE = 0.1;
const VLAN_SHARE = 0.02;

interface Flow {
  readonly kind: Kind;
  readonly shape: { readonly isIpv6: boolean; readonly vlan: number; readonly protocol: number };
  readonly client: Side;
  readonly server: Side;
  readonly dataPackets: number;
  readonly payloads: readonly Uint8Array[]; // UDP: what the client and the server send
  atUs: number; // of the next packet
  step: number; // packets sent so far
  clientSequence: number;
  serverSequence: number;
}

/** The flow whose packet is next, over a binary heap by time. */
class Timeline {
  readonly #heap: Flow[] = [];

  /** How many of the flows have sent nothing yet. */
  get unsent(): number {
    return this.#heap.filter((flow) => flow.step === 0).length;
  }

  get first(): Flow | undefined {
    return this.#heap[0];
  }

  add(flow: Flow): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as Flow).atUs <= flow.atUs) break;
      heap[at] = heap[parent] as Flow;
      at = parent;
    }
    heap[at] = flow;
  }

  /** Puts the first flow where its new time belongs, or takes it out. */
  settle(isOver: boolean): void {
    const heap = this.#heap;
    const flow = isOver ? heap.pop() : heap[0];
    if (flow === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Flow).atUs < (heap[child] as Flow).atUs) child++;
      if ((heap[child] as Flow).atUs >= flow.atUs) break;
      heap[at] = heap[child] as Flow;
      at = child;
    }
    heap[at] = flow;
  }
}

function dnsMessages(service: number, isIpv6: boolean): Uint8Array[] {
  const label = `service-${service}`;
  const name = [label.length, ...Buffer.from(label), 4, ...Buffer.from("test"), 0];
  const type = isIpv6 ? 28 : 1;
  const question = [...name, 0, type, 0, 1];
  const address = isIpv6
    ? [0xfd, 0, ...Array<number>(10).fill(0), 10, 2, service >> 8, service & 255]
    : [10, 2, service >> 8, service & 255];
  const query = Uint8Array.from([0x10, service & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question]);
  const record = [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length, ...address];
  const answer = Uint8Array.from([0x10, service & 255, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, ...question, ...record]);
  return [query, answer];
}

/** Sends the next packet of `flow`; answers whether it was the last. */
function send(flow: Flow, writer: PacketWriter, random: () => number): boolean {
  const { kind, shape, client, server, atUs, step } = flow;
  flow.step++;
  flow.atUs += 50 + Math.floor(-Math.log(1 - random()) * 12_000);
  if (kind === "dns" || kind === "udp") {
    const isReply = step % 2 === 1;
    const payload = flow.payloads[isReply ? 1 : 0] as Uint8Array;
    writer.udp(atUs, shape, isReply ? server : client, isReply ? client : server, payload);
    return flow.step >= flow.dataPackets;
  }
  if (kind === "icmp") {
    const isReply = step % 2 === 1;
    writer.echo(atUs, shape, isReply ? server : client, isReply ? client : server, isReply, step >> 1);
    return flow.step >= flow.dataPackets;
  }
  const fromClient = (flags: number, bytes = 0) => {
    const acknowledged = (flags & ACK) === 0 ? 0 : flow.serverSequence;
    writer.tcp(atUs, shape, client, server, flags, flow.clientSequence, acknowledged, bytes);
    flow.clientSequence = (flow.clientSequence + bytes + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0;
  };
  const fromServer = (flags: number, bytes = 0) => {
    writer.tcp(atUs, shape, server, client, flags, flow.serverSequence, flow.clientSequence, bytes);
    flow.serverSequence = (flow.serverSequence + bytes + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0;
  };
  if (kind === "syn-only") {
    writer.tcp(atUs, shape, client, server, SYN, flow.clientSequence, 0, 0);
    flow.atUs = atUs + (SYN_RETRY_US[step] as number);
    return flow.step >= SYN_RETRY_US.length;
  }
  if (step === 0) fromClient(SYN);
  else if (kind === "refused") fromServer(RST | ACK);
  else if (step === 1) fromServer(SYN | ACK);
  else if (step === 2) fromClient(ACK);
  else if (step < 3 + flow.dataPackets) {
    // A request, its answer in full segments, and an acknowledgement.
    const phase = (step - 3) % 3;
    if (phase === 0) fromClient(PSH | ACK, 80 + Math.floor(random() * 500));
    else if (phase === 1) fromServer(PSH | ACK, random() < 0.7 ? MSS : 200 + Math.floor(random() * 1000));
    else fromClient(ACK);
  } else {
    const closing = step - 3 - flow.dataPackets;
    if (kind === "reset") fromClient(RST | ACK);
    else if (closing === 0) fromClient(FIN | ACK);
    else if (closing === 1) fromServer(ACK);
    else if (closing === 2) fromServer(FIN | ACK);
    else fromClient(ACK);
    return kind === "reset" || closing === 3;
  }
  return kind === "refused" && step === 1;
}

function drawKind(random: () => number): Kind {
  let draw = random();
  for (const [kind, share] of KINDS) {
    if (draw < share) return kind;
    draw -= share;
  }
  return "tcp";
}

function newFlow(
  atUs: number,
  shape: TrafficShape,
  random: () => number,
  service: number,
  flowsOfClient: Uint32Array,
): Flow {
  const kind = drawKind(random);
  const clientNumber = Math.floor(random() * shape.clients);
  const nth = flowsOfClient[clientNumber] as number;
  flowsOfClient[clientNumber] = nth + 1;
  const isIpv6 = random() < IPV6_SHARE;
  const vlan = random() < VLAN_SHARE ? 100 : 0;
  const protocol = kind === "icmp" ? (isIpv6 ? 58 : 1) : kind === "dns" || kind === "udp" ? 17 : 6;
  const clientPort = FIRST_CLIENT_PORT + (nth % CLIENT_PORTS);
  const serverPort =
    kind === "dns" ? 53 : kind === "udp" ? 514 : (SERVICE_PORTS[service % SERVICE_PORTS.length] as number);
  const many = Math.floor(-Math.log(1 - random()) * MEAN_DATA_PACKETS);
  const dataPackets = { tcp: 2 + many, reset: 1 + many, refused: 0, "syn-only": 0, dns: 2, udp: 1 + many, icmp: 2 }[
    kind
  ];
  const payloads = kind === "dns" ? dnsMessages(service, isIpv6) : [new Uint8Array(120), new Uint8Array(300)];
  return {
    kind,
    shape: { isIpv6, vlan, protocol },
    client: { net: 0x0a01, host: clientNumber, port: clientPort },
    server: kind === "dns" ? { net: 0x0a03, host: 53, port: 53 } : { net: 0x0a02, host: service, port: serverPort },
    dataPackets,
    payloads,
    atUs,
    step: 0,
    clientSequence: Math.floor(random() * 4_294_967_296),
    serverSequence: Math.floor(random() * 4_294_967_296),
  };
}

/**
 * Writes a capture of made-up traffic to `path`: TCP with handshake, data and end, reset, refused and unanswered TCP,
 * DNS, other UDP, ICMP echo, over IPv4, IPv6 and a VLAN, with valid checksums and ascending times.
 */
export function generateCapture(path: string, shape: TrafficShape = USUAL_TRAFFIC): GeneratedCapture {
  const random = seededRandom(shape.seed);
  const nextService = zipf(shape.services, random);
  const flowsOfClient = new Uint32Array(shape.clients);
  const timeline = new Timeline();
  const gapUs = 1_000_000 / shape.flowsPerSecond;
  const fd = openSync(path, "w");
  try {
    const writer = new PacketWriter(fd, shape.snaplen);
    let flows = 0;
    while (writer.packets < shape.packets) {
      const opensUs = START_US + Math.floor(flows * gapUs);
      const next = timeline.first;
      if (next === undefined || next.atUs >= opensUs) {
        flows++;
        timeline.add(newFlow(opensUs, shape, random, nextService(), flowsOfClient));
      } else {
        timeline.settle(send(next, writer, random));
      }
    }
    writer.flush();
    return { packets: writer.packets, flows: flows - timeline.unsent, ipBytes: writer.ipBytes };
  } finally {
    closeSync(fd);
  }
}
