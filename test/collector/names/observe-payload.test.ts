import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { type NameSighting, PayloadObserver } from "../../../collector/names/observe-payload.js";
import {
  ascii,
  clientHelloBody,
  cryptoFrame,
  dnsMessage,
  dnsName,
  dtlsRecord,
  handshake,
  QUIC_V1,
  QUIC_V2,
  quicInitial,
  tlsRecords,
  u16,
} from "./wire-builders.js";

const TCP = 6;
const UDP = 17;

interface Piece {
  readonly sequence?: number;
  readonly bytes: Uint8Array;
}

/** What the originator's pieces tell, in order. */
function request(protocol: number, pieces: readonly Piece[], observer = new PayloadObserver(), flow = 1) {
  return pieces.flatMap(({ sequence = 0, bytes }): NameSighting[] => {
    const sighting = observer.observe(flow, protocol, 40000, 443, true, sequence, bytes, 0, bytes.length, 0);
    return sighting === undefined ? [] : [sighting];
  });
}

function answer(protocol: number, port: number, pieces: readonly Piece[], observer = new PayloadObserver()) {
  return pieces.flatMap(({ sequence = 0, bytes }) => {
    const sighting = observer.observe(1, protocol, 40000, port, false, sequence, bytes, 0, bytes.length, 0);
    return sighting?.kind === "dns-answers" ? sighting.answers.map(({ name, address }) => `${name} ${address}`) : [];
  });
}

/** `bytes` cut at `cuts`, with the sequence number of each piece from `first` on. */
function cut(bytes: Uint8Array, cuts: readonly number[], first = 0): Piece[] {
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).map((end, i) => {
    const start = edges[i] as number;
    return { sequence: (first + start) >>> 0, bytes: bytes.subarray(start, end) };
  });
}

const HELLO = tlsRecords(handshake(clientHelloBody("tls.example.com", 1500)));
const SNI: NameSighting = { kind: "name", name: "tls.example.com", source: "sni" };
const ANSWER = dnsMessage({
  questions: [{ name: dnsName("db.test"), type: 1 }],
  answers: [{ owner: [0xc0, 12], type: 1, data: [192, 0, 2, 5] }],
});

test("a ClientHello in one segment is named at once", () => {
  assert.deepEqual(request(TCP, [{ bytes: HELLO }]), [SNI]);
});

test("a ClientHello in several segments is named by whichever comes last, also across the end of sequence numbers", () => {
  const [first, second, third] = cut(HELLO, [500, 1400], 0xffffff00) as [Piece, Piece, Piece];
  assert.deepEqual(request(TCP, [first, second, third]), [SNI]);
  assert.deepEqual(request(TCP, [first, third, second]), [SNI]);
  assert.deepEqual(request(TCP, [first, first, third, third]), []);
});

test("a request whose host comes in the second segment is named", () => {
  const bytes = Uint8Array.from(ascii("GET / HTTP/1.1\r\nCookie: a\r\nHost: web.example.com\r\n\r\n"));
  assert.deepEqual(request(TCP, cut(bytes, [30], 77)), [
    { kind: "name", name: "web.example.com", source: "http-host" },
  ]);
});

test("a responder's bytes name no flow", () => {
  const observer = new PayloadObserver();
  assert.equal(observer.observe(1, TCP, 40000, 443, false, 0, HELLO, 0, HELLO.length, 0), undefined);
});

test("two flows do not mix, and a closed flow starts anew", () => {
  const observer = new PayloadObserver();
  const [first, second] = cut(HELLO, [600]) as [Piece, Piece];
  request(TCP, [first], observer, 1);
  assert.deepEqual(request(TCP, [second], observer, 2), []);
  observer.close(1);
  assert.deepEqual(request(TCP, [second], observer, 1), []);
});

test("when more streams are open than there are slots, the oldest is given up", () => {
  const observer = new PayloadObserver(2);
  const [first, second] = cut(HELLO, [600]) as [Piece, Piece];
  for (const flow of [1, 2, 3]) request(TCP, [first], observer, flow);
  assert.deepEqual(request(TCP, [second], observer, 1), []);
  assert.deepEqual(request(TCP, [second], observer, 2), [SNI]);
  assert.deepEqual(request(TCP, [second], observer, 3), [SNI]);
});

test("a DTLS ClientHello is named, also in fragments out of order", () => {
  const body = clientHelloBody("dtls.example.com", 300, true);
  const sighting: NameSighting = { kind: "name", name: "dtls.example.com", source: "sni" };
  assert.deepEqual(request(UDP, [{ bytes: dtlsRecord(body) }]), [sighting]);
  const pieces = [dtlsRecord(body, 200), dtlsRecord(body, 0, 200)].map((bytes) => ({ bytes }));
  assert.deepEqual(request(UDP, pieces), [sighting]);
});

for (const [version, keys] of [
  ["1", QUIC_V1],
  ["2", QUIC_V2],
] as const) {
  test(`a QUIC version ${version} Initial under the keys printed in its RFC is named`, () => {
    const bytes = quicInitial(cryptoFrame(0, handshake(clientHelloBody("quic.example.com"))), { keys });
    assert.deepEqual(request(UDP, [{ bytes }]), [{ kind: "name", name: "quic.example.com", source: "sni" }]);
  });
}

const QUIC_NAME: NameSighting = { kind: "name", name: "quic.example.com", source: "sni" };
const QUIC_HELLO = handshake(clientHelloBody("quic.example.com", 900));

test("CRYPTO frames in any order over several Initials are put together", () => {
  const parts = [QUIC_HELLO.slice(0, 300), QUIC_HELLO.slice(300, 700), QUIC_HELLO.slice(700)] as const;
  const frames = [cryptoFrame(0, parts[0]), cryptoFrame(300, parts[1]), cryptoFrame(700, parts[2])] as const;
  const ack = [2, 1, 0, 0, 1];
  const one = quicInitial([...frames[2], 1, 0, 0, ...frames[0]], { packetNumber: 0 });
  const two = quicInitial([...ack, ...frames[1]], { packetNumber: 1 });
  assert.deepEqual(request(UDP, [{ bytes: one }, { bytes: two }]), [QUIC_NAME]);
  assert.deepEqual(request(UDP, [{ bytes: two }, { bytes: one }]), [QUIC_NAME]);
});

test("a later Initial under another connection id is read with the first one's keys", () => {
  const one = quicInitial(cryptoFrame(0, QUIC_HELLO.slice(0, 500)));
  const two = quicInitial(cryptoFrame(500, QUIC_HELLO.slice(500)), { connectionId: [9, 9, 9, 9], packetNumber: 3 });
  assert.deepEqual(request(UDP, [{ bytes: one }, { bytes: two }]), [QUIC_NAME]);
});

test("an Initial that the capture cut short is read as far as it goes", () => {
  const bytes = quicInitial(cryptoFrame(0, handshake(clientHelloBody("quic.example.com"))), { token: [1, 2, 3] });
  assert.deepEqual(request(UDP, [{ bytes: bytes.subarray(0, 400) }]), [QUIC_NAME]);
});

test("no more QUIC datagrams are decrypted in a second than allowed", () => {
  const bytes = quicInitial(cryptoFrame(0, handshake(clientHelloBody("quic.example.com"))));
  const observer = new PayloadObserver(4, 4096, 2);
  const sightings = [0, 10, 20, 999_999, 1_000_000].map((timeUs, flow) =>
    observer.observe(flow, UDP, 40000, 443, true, 0, bytes, 0, bytes.length, timeUs),
  );
  assert.deepEqual(sightings, [QUIC_NAME, QUIC_NAME, undefined, undefined, QUIC_NAME]);
});

test("an Initial with a changed byte names nothing", () => {
  const bytes = quicInitial(cryptoFrame(0, handshake(clientHelloBody("quic.example.com"))));
  bytes[600] = (bytes[600] as number) ^ 1;
  assert.deepEqual(request(UDP, [{ bytes }]), []);
});

test("DNS answers over UDP, multicast DNS and LLMNR are told; queries and failures are not", () => {
  for (const port of [53, 5353, 5355]) assert.deepEqual(answer(UDP, port, [{ bytes: ANSWER }]), ["db.test 192.0.2.5"]);
  const query = dnsMessage({ flags: 0x0100, questions: [{ name: dnsName("db.test"), type: 1 }] });
  assert.deepEqual(answer(UDP, 53, [{ bytes: query }]), []);
  const failure = ANSWER.slice();
  failure[3] = 0x83;
  assert.deepEqual(answer(UDP, 53, [{ bytes: failure }]), []);
});

test("off the DNS ports only an answer that leaves no doubt is told", () => {
  assert.deepEqual(answer(UDP, 8053, [{ bytes: ANSWER }]), ["db.test 192.0.2.5"]);
  assert.deepEqual(answer(UDP, 8053, [{ bytes: Uint8Array.from([...ANSWER, 0]) }]), []);
});

test("each DNS message over TCP is told once, however the stream is cut", () => {
  const other = dnsMessage({ answers: [{ owner: dnsName("web.test"), type: 1, data: [192, 0, 2, 6] }] });
  const stream = Uint8Array.from([...u16(ANSWER.length), ...ANSWER, ...u16(other.length), ...other]);
  const told = ["db.test 192.0.2.5", "web.test 192.0.2.6"];
  assert.deepEqual(answer(TCP, 53, [{ bytes: stream }]), told);
  for (let at = 1; at < stream.length; at++)
    assert.deepEqual(answer(TCP, 53, cut(stream, [at], 99)), told, `cut at ${at}`);
  assert.deepEqual(answer(TCP, 53, cut(stream, [1, 2, 40, 41], 0xfffffff0)), told);
});

test("no payload makes the observer throw", () => {
  const heads = fc.constantFrom<number[]>(
    [],
    [22, 3, 1, 0, 99],
    [22, 0xfe, 0xfd, 0, 0],
    ascii("GET / HTTP/1.1\r\nHost:"),
    [0xc3, 0, 0, 0, 1, 8],
    [...ANSWER],
    [...QUIC_HELLO.slice(0, 20)],
  );
  const payload = fc
    .tuple(heads, fc.uint8Array({ maxLength: 90 }))
    .map(([head, tail]) => Uint8Array.from([...head, ...tail]));
  const packet = fc.record({
    flow: fc.nat(3),
    protocol: fc.constantFrom(TCP, UDP, 132),
    port: fc.constantFrom(53, 443, 5353),
    isFromOriginator: fc.boolean(),
    sequence: fc.nat(200),
    payload,
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 12 }), (packets) => {
      const observer = new PayloadObserver(2, 128);
      for (const { flow, protocol, port, isFromOriginator, sequence, payload: bytes } of packets) {
        observer.observe(flow, protocol, 40000, port, isFromOriginator, sequence, bytes, 0, bytes.length, 0);
      }
    }),
    { numRuns: 1500 },
  );
});

test("no change of bytes in an Initial's header makes the observer throw", () => {
  const bytes = quicInitial(cryptoFrame(0, QUIC_HELLO.slice(0, 500)));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(40), fc.nat(255)), { maxLength: 5 }),
      fc.nat(bytes.length),
      (changes, length) => {
        const changed = bytes.slice(0, length);
        for (const [at, value] of changes) if (at < length) changed[at] = value;
        request(UDP, [{ bytes: changed }]);
      },
    ),
    { numRuns: 500 },
  );
});
