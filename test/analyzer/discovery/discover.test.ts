import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { discover } from "../../../analyzer/discovery/discover.js";
import type { Proposal } from "../../../analyzer/proposal.js";
import { matchesLabels } from "../../../model/label-selector.js";
import { MINUTE_US } from "../../../model/time-window.js";
import { type Inventory, namespaceLabels } from "../../../model/workload.js";
import type { Peer } from "../../../policy/peer.js";
import { type SmallNetwork, smallNetwork } from "./small-network.js";

const proposalOf = (network: SmallNetwork, windows = network.windows): Proposal =>
  discover({ windows, inventory: network.inventory, gaps: [], samples: () => [] });

/** Whether `peer` means `end`, a workload id or an address; written against the contract, not with discovery's own code. */
function means(peer: Peer, end: string, inventory: Inventory, proposal: Proposal): boolean {
  const workload = inventory.workloads.find(({ id }) => id === end);
  switch (peer.kind) {
    case "workloads":
      return (
        workload !== undefined &&
        matchesLabels(peer.selector.namespaces, namespaceLabels(inventory, workload.namespace)) &&
        matchesLabels(peer.selector.labels, workload.labels)
      );
    case "cidr":
      return workload === undefined && peer.cidr === `${end}/32`;
    case "group":
      return (
        workload === undefined &&
        proposal.policySet.groups.some(
          ({ name, cidrs }) =>
            name === peer.name && cidrs.some((cidr) => cidr.startsWith(end.slice(0, end.lastIndexOf(".")))),
        )
      );
    default:
      return false;
  }
}

function isProposed(edge: string, { inventory }: SmallNetwork, proposal: Proposal): boolean {
  const [, client, server, protocol, port] = /^(.+)>(.+)\/(\d+)\/(\d+)$/.exec(edge) as unknown as string[];
  return proposal.policySet.rules.some(
    (rule) =>
      means(rule.client, client as string, inventory, proposal) &&
      means(rule.server, server as string, inventory, proposal) &&
      rule.services.some(
        (service) =>
          service.kind === "ports" &&
          { tcp: 6, udp: 17, sctp: 132 }[service.protocol] === Number(protocol) &&
          service.ports.first <= Number(port) &&
          Number(port) <= service.ports.last,
      ),
  );
}

for (const seed of [0, 1, 2, 3, 4]) {
  test(`every intended edge is proposed and nothing of what must never be, seed ${seed}`, () => {
    for (const network of [smallNetwork({ seed, hours: 48 }), smallNetwork({ seed, hours: 12, unitUs: MINUTE_US })]) {
      const proposal = proposalOf(network);
      assert.deepEqual(
        network.intended.filter((edge) => !isProposed(edge, network, proposal)),
        [],
      );
      assert.deepEqual(
        network.never.filter((edge) => isProposed(edge, network, proposal)),
        [],
      );
    }
  });
}

test("the order in which windows arrive does not change a byte of the proposal", () => {
  const network = smallNetwork({ seed: 7, hours: 10 });
  const wanted = JSON.stringify(proposalOf(network));
  fc.assert(
    fc.property(fc.shuffledSubarray([...network.windows], { minLength: network.windows.length }), (windows) => {
      assert.equal(JSON.stringify(proposalOf(network, windows)), wanted);
    }),
    { numRuns: 15 },
  );
});

test("a rule keeps its id when more is seen", () => {
  const network = smallNetwork({ seed: 3, hours: 40 });
  const firstUs = network.windows.reduce(
    (least, { windowStartUs }) => Math.min(least, windowStartUs),
    Number.POSITIVE_INFINITY,
  );
  const early = proposalOf(
    network,
    network.windows.filter(({ windowStartUs }) => windowStartUs < firstUs + 20 * 3.6e9),
  );
  const late = new Set(proposalOf(network).policySet.rules.map(({ id }) => id));
  assert.deepEqual(
    early.policySet.rules.map(({ id }) => id).filter((id) => !late.has(id)),
    [],
  );
});

test("a scanner, a retrying client and a single SSH session are excluded, each with its reason", () => {
  const { exclusions } = proposalOf(smallNetwork({ seed: 1, hours: 72 }));
  assert.deepEqual(
    exclusions.map(({ kind, client, server }) => [kind, client, server]),
    [
      ["quarantine", "shop/batch-1", "shop/db-1"],
      ["refused", "shop/legacy-1", "shop/db-1"],
      ["scan", "infra/scanner-1", "many"],
    ],
  );
  assert.match(
    exclusions[2]?.reason ?? "",
    /^104 of 120 first contacts of this source failed, likelihood ratio 9\.6e52; the 16/,
  );
  assert.match(exclusions[1]?.reason ?? "", /288 attempts/);
});

test("workloads of which nothing good was seen are named and left open", () => {
  const { openWorkloads, policySet } = proposalOf(smallNetwork({ seed: 1, hours: 72 }));
  assert.deepEqual(
    openWorkloads.map(({ workload }) => workload),
    ["infra/scanner-1", "shop/silent-1"],
  );
  assert.ok(policySet.isolations.every(({ mode }) => mode === "audit"));
});

test("a few minutes of traffic are not enough data, and the rules are shown all the same", () => {
  const proposal = proposalOf(smallNetwork({ seed: 1, hours: 5, unitUs: MINUTE_US }));
  assert.equal(proposal.state, "not-enough-data");
  assert.match(proposal.stateReason, /^Only 5 minutes were watched, in 5 windows of one minute;/);
  assert.ok(proposal.policySet.rules.length > 10);
});

test("no traffic at all yields a proposal without rules that says so", () => {
  const { inventory } = smallNetwork({ seed: 1, hours: 4 });
  const proposal = discover({ windows: [], inventory, gaps: [], samples: () => [] });
  assert.equal(proposal.stateReason, "No traffic was seen at all.");
  assert.deepEqual([proposal.policySet.rules, proposal.policySet.isolations], [[], []]);
});

test("a window told in two rows, as two sensors may, is the same window", () => {
  const network = smallNetwork({ seed: 5, hours: 16 });
  const halves = network.windows.flatMap((row) => {
    const part = (share: (n: number) => number) => ({
      ...row,
      flows: {
        ...row.flows,
        answered: share(row.flows.answered),
        refused: share(row.flows.refused),
        unanswered: share(row.flows.unanswered),
      },
      clientPackets: share(row.clientPackets),
      serverPackets: share(row.serverPackets),
    });
    const half = (n: number) => Math.floor(n / 2);
    return [part((n) => n - half(n)), part(half)];
  });
  assert.equal(JSON.stringify(proposalOf(network, halves)), JSON.stringify(proposalOf(network)));
});
