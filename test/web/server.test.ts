import assert from "node:assert/strict";
import { test } from "node:test";
import { csvCell, csvText } from "../../model/csv.js";
import { isTrustedHost } from "../../web/api/guard.js";
import { ListenError } from "../../web/api/listen-error.js";
import { startServer } from "../../web/api/server.js";
import { tarOf } from "../../web/api/tar.js";
import { companyBundles, companySource } from "./company.js";

const options = { bundles: companyBundles, targets: ["kubernetes"], uiDir: "nowhere", version: "0.0.0" };

test("a port in use gets the next free one when asked, and is refused in one line otherwise", async () => {
  const source = companySource();
  const first = await startServer({ ...options, source, listen: { host: "127.0.0.1", port: 0 } });
  const port = Number(new URL(first.url).port);
  const listen = { host: "127.0.0.1", port };
  try {
    await assert.rejects(startServer({ ...options, source, listen }), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.code, "EADDRINUSE");
      assert.match(error.message, /^Cannot listen on "127\.0\.0\.1:\d+": wanted a port that is not in use$/);
      return true;
    });
    const urls: string[] = [];
    const second = await startServer({
      ...options,
      source,
      listen,
      nextFree: true,
      onListening: (url) => urls.push(url),
    });
    assert.deepEqual(urls, [second.url]);
    assert.ok(Number(new URL(second.url).port) > port);
    assert.equal((await fetch(new URL("/healthz", second.url))).status, 200);
    await second.close();
  } finally {
    await first.close();
  }
});

test("an address that is not ours is refused", async () => {
  const listen = { host: "192.0.2.1", port: 0 };
  await assert.rejects(
    startServer({ ...options, source: companySource(), listen }),
    /^ListenError: Cannot listen on "192\.0\.2\.1:0"/,
  );
});

test("open pages are told of a change, and closing the server ends their streams", async () => {
  const source = companySource();
  const server = await startServer({ ...options, source, listen: { host: "127.0.0.1", port: 0 } });
  const reply = await fetch(new URL("/api/events", server.url));
  assert.equal(reply.headers.get("content-type"), "text/event-stream");
  assert.match(reply.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
  let seen = "";
  const readUntil = async (wanted: RegExp) => {
    while (!wanted.test(seen)) {
      const { value, done } = await reader.read();
      assert.ok(!done, `the stream ended before ${wanted}`);
      seen += Buffer.from(value).toString();
    }
  };
  await readUntil(/event: revision\nid: 1\n/);
  source.announce();
  await readUntil(/event: revision\nid: 2\ndata: \{"revision":2\}\n\n/);
  await server.close();
  for (;;) {
    const { done } = await reader.read().catch(() => ({ done: true }));
    if (done) break;
  }
});

const HOSTS: readonly (readonly [host: string | undefined, isTrusted: boolean])[] = [
  ["127.0.0.1:8480", true],
  ["[::1]:8480", true],
  ["[fe80::1]", true],
  ["localhost", true],
  ["explorer.localhost:80", true],
  ["portolan.internal:443", true],
  ["PORTOLAN.internal", true],
  ["attacker.example", false],
  ["127.0.0.1.attacker.example", false],
  ["localhost.attacker.example", false],
  ["a b", false],
  ["", false],
  [undefined, false],
];

for (const [host, isTrusted] of HOSTS) {
  test(`the host "${host ?? "none"}" is ${isTrusted ? "served" : "refused"}`, () => {
    assert.equal(isTrustedHost(host, ["portolan.internal"]), isTrusted);
  });
}

test("CSV cells are quoted where they must be and start no formula", () => {
  assert.equal(csvCell('a "b", c'), '"a ""b"", c"');
  for (const formula of ["=1+1", "+1", "-1", "@x", "\tx"]) assert.equal(csvCell(formula), `'${formula}`);
  assert.equal(csvCell("\r=1"), `"'\r=1"`);
  assert.equal(csvCell(-5), "-5");
  assert.equal(csvText(["a", "b"], [["x", 1]]), "a,b\r\nx,1\r\n");
});

test("an archive holds each file under its path, byte for byte, and equal files give equal archives", () => {
  const deep = `${"folder/".repeat(20)}file.yaml`;
  const files = [
    { path: "a.yaml", text: "größer\n" },
    { path: deep, text: "x".repeat(600) },
    { path: "empty", text: "" },
  ];
  const archive = tarOf(files);
  assert.deepEqual(tarOf(files), archive);
  const read: { path: string; text: string }[] = [];
  const field = (at: number, from: number, length: number) =>
    archive
      .subarray(at + from, at + from + length)
      .toString()
      .replace(/\0.*$/s, "");
  for (let at = 0; archive[at] !== 0; ) {
    const size = Number.parseInt(field(at, 124, 12), 8);
    const prefix = field(at, 345, 155);
    const path = prefix === "" ? field(at, 0, 100) : `${prefix}/${field(at, 0, 100)}`;
    read.push({ path, text: archive.subarray(at + 512, at + 512 + size).toString() });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  assert.deepEqual(read, files);
  assert.throws(() => tarOf([{ path: "x".repeat(300), text: "" }]), /^RangeError: Cannot archive/);
});
