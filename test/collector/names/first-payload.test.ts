import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { searchHttpHost } from "../../../collector/names/http-host.js";
import { searchHandshake, searchTlsStream } from "../../../collector/names/tls-client-hello.js";
import { ascii, clientHelloBody, handshake, tlsRecords } from "./wire-builders.js";

const scratch = new Uint8Array(4096);

function searchTls(bytes: Uint8Array, length = bytes.length) {
  return searchTlsStream(bytes, 0, length, scratch);
}

function searchHttp(text: string) {
  return searchHttpHost(Uint8Array.from(ascii(text)), 0, text.length);
}

test("the server name of a ClientHello is found, in lower case", () => {
  assert.deepEqual(searchTls(tlsRecords(handshake(clientHelloBody("API.Example.com")))), {
    kind: "name",
    name: "api.example.com",
  });
});

test("a ClientHello spread over several records is joined", () => {
  const message = handshake(clientHelloBody("split.example.com", 600));
  for (const recordBytes of [1, 3, 100, 700]) {
    assert.deepEqual(searchTls(tlsRecords(message, recordBytes)), { kind: "name", name: "split.example.com" });
  }
});

test("a ClientHello cut before its name is incomplete, after it the name is known", () => {
  const bytes = tlsRecords(handshake(clientHelloBody("cut.example.com", 100)));
  const nameEnd = Buffer.from(bytes).indexOf("cut.example.com") + "cut.example.com".length;
  for (let length = 3; length < nameEnd; length++) assert.equal(searchTls(bytes, length).kind, "incomplete");
  for (let length = nameEnd; length <= bytes.length; length++) assert.equal(searchTls(bytes, length).kind, "name");
});

test("a ClientHello without a server name, a ServerHello and other bytes have none", () => {
  assert.equal(searchTls(tlsRecords(handshake(clientHelloBody(undefined)))).kind, "none");
  assert.equal(searchTls(tlsRecords([2, 0, 0, 1, 0])).kind, "none");
  assert.equal(searchTls(Uint8Array.from(ascii("SSH-2.0-OpenSSH_9.2"))).kind, "none");
});

test("lengths that contradict each other have no name", () => {
  const body = clientHelloBody("liar.example.com");
  const lying = [...body];
  const listLength = Buffer.from(body).indexOf("liar.example.com") - 5;
  lying[listLength] = 0xff; // the list says it is longer than its extension
  assert.equal(searchTls(tlsRecords(handshake(lying))).kind, "name"); // its own length is not needed
  lying[listLength + 3] = 0xff; // the name says it is longer than its extension
  assert.equal(searchTls(tlsRecords(handshake(lying))).kind, "none");
});

const REQUESTS: readonly [string, string][] = [
  ["GET / HTTP/1.1\r\nHost: Web.Example.com\r\n\r\n", "web.example.com"],
  ["GET / HTTP/1.1\r\nAccept: */*\r\nhOsT:web.example.com:8080  \r\n\r\n", "web.example.com"],
  ["POST /x HTTP/1.0\nHost:\tweb.example.com.\n\n", "web.example.com"],
  ["GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", "2001:db8::1"],
  ["GET http://user:pw@target.example.com:81/a?b HTTP/1.1\r\nHost: proxy\r\n\r\n", "target.example.com"],
  ["CONNECT tunnel.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", "tunnel.example.com"],
  ["CONNECT / HTTP/1.1\r\nHost: odd.example.com\r\n\r\n", "odd.example.com"],
  ["CCM_POST / HTTP/1.\r\nHost: minor.example.com\r\n\r\n", "minor.example.com"],
  ["GET /HTTP/1.1\r\nHost: space.example.com\r\n\r\n", "space.example.com"],
  ["GET HTTP/1.1\r\nHost: target.example.com\r\n\r\n", "target.example.com"],
  ["OPTIONS * HTTP/1.1\r\nHost: star.example.com\r\n\r\n", "star.example.com"],
  ["M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", "239.255.255.250"],
  ["GET /\x1b[31m HTTP/1.1\r\nHost: a\x1b[2Jb\r\n\r\n", "a\\027[2jb"],
];
for (const [request, host] of REQUESTS) {
  test(`the host of ${JSON.stringify(request)} is ${host}`, () => {
    assert.deepEqual(searchHttp(request), { kind: "name", name: host });
  });
}

const OTHERS: readonly [string, string][] = [
  ["GET / HTTP/1.1\r\nAccept: x\r\n\r\n", "none"],
  ["GET / HTTP/1.1\r\nHost:\r\n\r\n", "none"],
  ["GET / HTTP/1.1\r\nX: y\r\n\r\nHost: body.example.com\r\n", "none"],
  [`GET / HTTP/1.1\r\nHost: ${"a".repeat(256)}\r\n\r\n`, "none"],
  ["INVITE sip:x SIP/2.0\r\nHost: sip\r\n\r\n", "none"],
  ["HELO mail.example.com\r\n", "none"],
  ["get / HTTP/1.1\r\nHost: lower\r\n\r\n", "none"],
  ["GET /a-long-path", "incomplete"],
  ["GET / HTTP/1.1\r\nHost: web.exam", "incomplete"],
];
for (const [request, kind] of OTHERS) {
  test(`${JSON.stringify(request.slice(0, 60))} has a host: ${kind}`, () => {
    assert.equal(searchHttp(request).kind, kind);
  });
}

test("no bytes make the searches throw or read outside what they were given", () => {
  const start = fc.constantFrom<number[]>(
    [],
    [22, 3, 1, 0, 40, 1, 0, 0, 36],
    [1, 0, 0, 36],
    ascii("GET "),
    ascii("GET / HTTP/1.1\r\n"),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 120 }), fc.nat(20), (head, tail, margin) => {
      const bytes = Uint8Array.from([...head, ...tail]);
      const framed = new Uint8Array(bytes.length + 2 * margin).fill(0x2e);
      framed.set(bytes, margin);
      assert.deepEqual(searchTlsStream(framed, margin, bytes.length, scratch), searchTls(bytes));
      assert.deepEqual(searchHttpHost(framed, margin, bytes.length), searchHttpHost(bytes, 0, bytes.length));
      assert.deepEqual(searchHandshake(framed, margin, bytes.length), searchHandshake(bytes, 0, bytes.length));
    }),
    { numRuns: 3000 },
  );
});
