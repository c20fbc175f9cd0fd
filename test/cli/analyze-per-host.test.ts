import assert from "node:assert/strict";
import test from "node:test";
import { PortolanProcess } from "./portolan-process.js";

const refused: readonly [files: readonly string[], line: string][] = [
  [
    ["monday/host-a.pcap", "tuesday/host-a.pcapng.gz"],
    'Cannot tell who captured "tuesday/host-a.pcapng.gz": "monday/host-a.pcap" is named alike; wanted one file a host, as host-a.pcap',
  ],
  [
    ["host-a.pcap", "-"],
    'Cannot tell who captured "-": standard input has no name; wanted one file a host, as host-a.pcap',
  ],
];

for (const [files, line] of refused) {
  test(`analyze --per-host ${files.join(" ")} is refused in one line`, async () => {
    const analyze = new PortolanProcess(["analyze", "--per-host", ...files, "--out", "/dev/null/never"]);
    assert.equal(await analyze.exit(), 2);
    assert.equal(analyze.errors, `${line}\n`);
  });
}
