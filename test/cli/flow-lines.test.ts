import assert from "node:assert/strict";
import test from "node:test";
import { FLOW_CSV_HEADER, flowCsvLine, flowJsonLine } from "../../cli/flow-lines.js";
import type { FlowRecord } from "../../model/flow-record.js";

const FLOW: FlowRecord = {
  protocol: 6,
  originator: { address: "10.0.0.1", port: 40000, packets: 4, bytes: 160, tcpFlags: 19 },
  responder: { address: "fd00::2", port: 443, packets: 2, bytes: 80, tcpFlags: 18 },
  startUs: 1_700_000_000_000_000,
  endUs: 1_700_000_000_000_007,
  outcome: "answered",
  evidence: "syn",
  names: [{ name: "db.test", source: "sni" }],
  vlan: [20, 10],
  tunnel: [{ kind: "vxlan", id: 42, outer: "192.0.2.1>192.0.2.2" }],
  depth: 1,
};

test("a flow is one JSON object with the published fields, in their order", () => {
  assert.equal(
    flowJsonLine(FLOW),
    '{"protocol":"tcp","originator":{"address":"10.0.0.1","port":40000,"packets":4,"bytes":160},' +
      '"responder":{"address":"fd00::2","port":443,"packets":2,"bytes":80},' +
      '"startUs":1700000000000000,"endUs":1700000000000007,"outcome":"answered","evidence":"syn",' +
      '"names":[{"name":"db.test","source":"sni"}],"vlan":[20,10],' +
      '"tunnel":[{"kind":"vxlan","id":42,"outer":"192.0.2.1>192.0.2.2"}],"depth":1}',
  );
});

test("a flow is one CSV row under the header", () => {
  assert.equal(FLOW_CSV_HEADER.split(",").length, 17);
  assert.equal(
    flowCsvLine(FLOW),
    "tcp,10.0.0.1,40000,4,160,fd00::2,443,2,80,1700000000000000,1700000000000007,answered,syn,db.test (sni),20 10,vxlan 42 192.0.2.1>192.0.2.2,1",
  );
});

test("a name that a spreadsheet would run, or that would break the row, is shown as text", () => {
  const cellOf = (name: string) =>
    flowCsvLine({ ...FLOW, names: [{ name, source: "dns" }] }).slice(flowCsvLine(FLOW).indexOf("db.test"));
  for (const start of ["=", "+", "-", "@", "\t"]) assert.match(cellOf(`${start}1`), /^'/);
  assert.match(cellOf('a"b,c'), /^"a""b,c \(dns\)",/);
});
