import assert from "node:assert/strict";
import test from "node:test";
import { discover } from "../../../analyzer/discovery/discover.js";
import { escapeText } from "../../../analyzer/report/markup.js";
import { compareReach } from "../../../analyzer/report/reach.js";
import { renderReport } from "../../../analyzer/report/report.js";
import { smallNetwork } from "../discovery/small-network.js";
import { graphOf } from "./graph-of.js";

const { windows, inventory } = smallNetwork({ seed: 1, hours: 24 });
const gap = {
  collector: "sensor-1",
  fromUs: 1_767_225_600_000_000,
  untilUs: 1_767_225_700_000_000,
  lost: 17,
  reason: "the kernel dropped packets",
};
const proposal = discover({ windows, inventory, gaps: [gap], samples: () => [] });
const graph = graphOf(windows, proposal);
const sensor = {
  collector: "sensor-1",
  firstSeenUs: gap.fromUs,
  lastSeenUs: gap.untilUs,
  batches: 1,
  flows: 5,
  dropped: 17,
};
const input = { title: "lab.pcap", graph, proposal, sensors: [sensor], inventory };

test("the report names every rule, exclusion, gate, gap and open workload", () => {
  const page = renderReport(input);
  const words = [
    ...proposal.policySet.rules.map(({ id }) => id),
    ...proposal.exclusions.map(({ reason }) => reason),
    ...proposal.gates.map(({ value }) => value),
    ...proposal.openWorkloads.map(({ reason }) => reason),
    gap.reason,
  ];
  assert.deepEqual(
    words.filter((word) => !page.includes(escapeText(word))),
    [],
  );
});

test("the report asks for nothing: no script, no link out, no inline style, and a policy that says so", () => {
  const page = renderReport(input);
  assert.match(
    page,
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]+='; base/,
  );
  assert.doesNotMatch(
    page,
    /<script|<link|<img|<iframe|javascript:|\son[a-z]+=| style=|https?:\/\/|@import|url\((?!#)/i,
  );
});

test("equal input gives equal bytes", () => {
  assert.equal(renderReport(input), renderReport(structuredClone(input)));
});

test("a hostile name is shown as text, its deceptive characters spelled out", () => {
  const evil = `<img src=x onerror=alert(1)>\u202egpj.exe\u200b"'&\ud800`;
  const page = renderReport({
    ...input,
    title: evil,
    proposal: {
      ...proposal,
      gaps: [{ ...gap, collector: evil, reason: evil }],
      exclusions: proposal.exclusions.map((each) => ({ ...each, client: evil })),
    },
    graph: { ...graph, edges: graph.edges.map((edge) => ({ ...edge, client: `group:${evil}` })) },
  });
  assert.doesNotMatch(page, /<img|[\u202e\u200b\ud800]/);
  assert.ok(page.includes("&lt;img src=x onerror=alert(1)&gt;[U+202E]gpj.exe[U+200B]&quot;&#39;&amp;[U+D800]"));
});

test("compareReach() counts cells, closes most of them and never loses one that was used and admitted", () => {
  const reach = compareReach(graph, proposal.policySet, inventory);
  const listening = new Set(
    graph.edges
      .filter((edge) => edge.flows.answered > 0 && edge.server.startsWith("workload:"))
      .map((edge) => edge.id.slice(edge.id.indexOf(">"))),
  );
  assert.equal(reach.services, listening.size);
  assert.equal(reach.sources, inventory.workloads.length);
  assert.ok(reach.policy.segmentedness > 0.7, String(reach.policy.segmentedness));
  assert.ok(reach.policy.direct < reach.flat.direct && reach.policy.transitive <= reach.flat.transitive);
});

test("compareReach() of no policy at all is the flat network", () => {
  const empty = { ...proposal.policySet, rules: [], isolations: [] };
  const { flat, policy } = compareReach(graph, empty, inventory);
  assert.deepEqual(policy, flat);
});
