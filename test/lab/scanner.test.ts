import assert from "node:assert/strict";
import test from "node:test";
import { hostNamed } from "./company.js";
import { parseScan } from "./scanner.js";

const REPORT = [
  "# Nmap 7.93 scan initiated as: nmap -oG - 10.20.1.11 10.20.2.13",
  "Host: 10.20.1.11 ()\tStatus: Up",
  "Host: 10.20.1.11 ()\tPorts: 22/closed/tcp//ssh///, 80/open/tcp//http//nginx 1.22.1/, 23/filtered/tcp//telnet///\tIgnored State: closed (9)",
  "Host: 10.20.2.13 ()\tPorts: 22/filtered/tcp//ssh///",
  "Host: 10.99.0.1 ()\tPorts: 80/open/tcp//http///",
].join("\n");

test("parseScan() keeps ports that answered or refused, on addresses that somebody holds", () => {
  const scanner = { client: "office/kiosk-1", server: "shop/web-1", protocol: "tcp" };
  assert.deepEqual(parseScan(REPORT, [hostNamed("web-1")]), [
    { ...scanner, port: 22, note: "scanner, refused" },
    { ...scanner, port: 80, note: "scanner, the port answered" },
  ]);
});
