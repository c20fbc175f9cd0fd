import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { askedAddresses, parseDnsMessage } from "../../../collector/names/dns-message.js";
import { ascii, dnsMessage, dnsName, u16 } from "./wire-builders.js";

const ASKED = [0xc0, 12]; // pointer to the first question's name
const A = 1;
const CNAME = 5;
const AAAA = 28;
const HTTPS = 65;

function parse(bytes: Uint8Array, isMulticast = false) {
  const message = parseDnsMessage(bytes, 0, bytes.length, isMulticast);
  assert.ok(message);
  return message;
}

test("a query tells its id, direction, name and type", () => {
  const bytes = dnsMessage({ flags: 0x0100, questions: [{ name: dnsName("API.Example.com"), type: AAAA }] });
  const message = parse(bytes);
  assert.equal(message.id, 0x1234);
  assert.equal(message.isResponse, false);
  assert.deepEqual(message.questions, [{ name: "api.example.com", type: AAAA }]);
  assert.equal(message.isWhole, true);
  assert.equal(message.byteLength, bytes.length);
});

test("addresses are named by what was asked, through a chain of aliases, for the chain's least time", () => {
  const edge = dnsName("edge.cdn.test");
  const message = parse(
    dnsMessage({
      questions: [{ name: dnsName("www.example.com"), type: A }],
      answers: [
        { owner: ASKED, type: CNAME, ttl: 300, data: dnsName("mid.example.com") },
        { owner: dnsName("mid.example.com"), type: CNAME, ttl: 20, data: edge },
        { owner: edge, type: A, ttl: 60, data: [192, 0, 2, 7] },
        { owner: edge, type: AAAA, ttl: 10, data: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
      ],
    }),
  );
  assert.deepEqual(askedAddresses(message), [
    { name: "www.example.com", address: "192.0.2.7", ttlSeconds: 20 },
    { name: "www.example.com", address: "2001:db8::1", ttlSeconds: 10 },
  ]);
});

test("a ring of aliases ends", () => {
  const message = parse(
    dnsMessage({
      answers: [
        { owner: dnsName("a.test"), type: CNAME, data: dnsName("b.test") },
        { owner: dnsName("b.test"), type: CNAME, data: dnsName("a.test") },
        { owner: dnsName("a.test"), type: A, data: [192, 0, 2, 1] },
      ],
    }),
  );
  assert.equal(askedAddresses(message).length, 1);
});

test("an HTTPS record's hints are addresses of the name that was asked", () => {
  const data = [
    ...u16(1),
    0,
    ...u16(1),
    ...u16(3),
    2,
    ...ascii("h2"),
    ...u16(4),
    ...u16(8),
    192,
    0,
    2,
    1,
    192,
    0,
    2,
    2,
  ];
  const message = parse(
    dnsMessage({
      questions: [{ name: dnsName("h.test"), type: HTTPS }],
      answers: [{ owner: ASKED, type: HTTPS, data }],
    }),
  );
  assert.deepEqual(
    askedAddresses(message).map(({ name, address }) => `${name} ${address}`),
    ["h.test 192.0.2.1", "h.test 192.0.2.2"],
  );
});

test("glue in the additional section names nothing, except in multicast DNS", () => {
  const bytes = dnsMessage({
    flags: 0x8400,
    answers: [{ owner: dnsName("a.local"), type: 12, data: dnsName("b.local") }],
    additional: [{ owner: dnsName("printer.local"), type: A, ttl: 120, data: [192, 0, 2, 9], recordClass: 0x8001 }],
  });
  assert.deepEqual(askedAddresses(parse(bytes)), []);
  assert.deepEqual(askedAddresses(parse(bytes, true)), [
    { name: "printer.local", address: "192.0.2.9", ttlSeconds: 120 },
  ]);
});

test("bytes that cannot be printed, dots and backslashes in a label are escaped", () => {
  const name = [5, 0x1b, 0x2e, 0x5c, 0x20, 0xff, 1, 0x61, 0];
  const message = parse(dnsMessage({ questions: [{ name, type: A }] }));
  assert.equal(message.questions[0]?.name, "\\027\\.\\092\\032\\255.a");
});

test("the root is a dot", () => {
  assert.equal(parse(dnsMessage({ questions: [{ name: [0], type: A }] })).questions[0]?.name, ".");
});

const FAULTY_NAMES: readonly [string, readonly number[]][] = [
  ["a pointer to itself", [0xc0, 12]],
  ["a pointer forward", [0xc0, 40]],
  ["a pointer into the header", [1, 97, 0xc0, 2]],
  ["a label of a reserved kind", [0x41, 97, 0]],
  [
    "a name above 255 bytes",
    [
      ...Array<number[]>(5)
        .fill([63, ...Array<number>(63).fill(97)])
        .flat(),
      0,
    ],
  ],
];
for (const [what, name] of FAULTY_NAMES) {
  test(`${what} ends the reading`, () => {
    const bytes = dnsMessage({
      questions: [{ name, type: A }],
      answers: [{ owner: [0], type: A, data: [1, 2, 3, 4] }],
    });
    const message = parse(bytes);
    assert.equal(message.isWhole, false);
    assert.deepEqual(message.answers, []);
  });
}

test("what precedes the cut of a truncated message is kept", () => {
  const bytes = dnsMessage({
    questions: [{ name: dnsName("cut.test"), type: A }],
    answers: [
      { owner: ASKED, type: A, data: [192, 0, 2, 1] },
      { owner: ASKED, type: A, data: [192, 0, 2, 2] },
    ],
  });
  const message = parse(bytes.subarray(0, bytes.length - 1));
  assert.equal(message.isWhole, false);
  assert.deepEqual(
    askedAddresses(message).map(({ address }) => address),
    ["192.0.2.1"],
  );
});

test("a time to live with its top bit set counts as none", () => {
  const message = parse(
    dnsMessage({ answers: [{ owner: dnsName("t.test"), type: A, ttl: 0xffffffff, data: [192, 0, 2, 1] }] }),
  );
  assert.equal(askedAddresses(message)[0]?.ttlSeconds, 0);
});

test("no bytes make the parser throw or read outside what it was given", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (bytes, margin) => {
      const framed = new Uint8Array(bytes.length + 2 * margin).fill(0xaa);
      framed.set(bytes, margin);
      const plain = parseDnsMessage(bytes, 0, bytes.length, true);
      assert.deepEqual(parseDnsMessage(framed, margin, bytes.length, true), plain);
      if (plain !== undefined) askedAddresses(plain);
    }),
    { numRuns: 2000 },
  );
});

test("no change of a byte in a real answer makes the parser throw or a name unprintable", () => {
  const bytes = dnsMessage({
    questions: [{ name: dnsName("www.example.com"), type: A }],
    answers: [
      { owner: ASKED, type: CNAME, data: dnsName("mid.example.com") },
      { owner: dnsName("mid.example.com"), type: A, data: [192, 0, 2, 7] },
    ],
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
      const changed = bytes.slice();
      for (const [at, value] of changes) changed[at] = value;
      const message = parseDnsMessage(changed, 0, changed.length);
      for (const { name } of message === undefined ? [] : askedAddresses(message)) assert.match(name, /^[!-~]+$/);
    }),
    { numRuns: 2000 },
  );
});
