import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { EnforcerKernel } from "../../enforcer/enforcer-kernel.js";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { isForwardingHost } from "../../enforcer/preflight.js";
import { wantedTable } from "../../enforcer/wanted-table.js";
import type { Inventory } from "../../model/workload.js";
import { compare } from "../../policy/compare.js";
import { parseNftJson } from "../../policy/formats/nftables/parse-json.js";
import { parseNftText } from "../../policy/formats/nftables/parse-text.js";
import { programOfTables } from "../../policy/formats/nftables/program-of-table.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { inventoryOf, pods, ports, rule, workload, peer as workloads } from "../policy/sample-policy.js";
import { HostNetwork, PATIENT_MS, run, type TrafficAgent } from "./host-network.js";
import { HOST } from "./sample-order.js";

/**
 * A host with a bridge and three containers; the third one stands in no inventory and is published as ports of the host:
 *
 *     peer 10.88.0.2, .66 --- 10.88.0.1 host 10.89.0.1 --- br0 --+-- one   10.89.0.11, fd89::11   isolated
 *                                                                +-- two   10.89.0.12, fd89::12   open
 *                                                                `-- three 10.89.0.13             unknown
 */
const CONTAINERS = { one: 11, two: 12, three: 13 };

let network: HostNetwork;
let kernel: EnforcerKernel;
const agents = new Map<string, TrafficAgent>();
const agent = (name: string) => agents.get(name)!;

const behind = (name: string, addresses: readonly string[]) => ({
  ...workload(`lab/${name}`, { app: name }, addresses, "Container"),
  host: HOST,
});

const INVENTORY: Inventory = inventoryOf([
  workload(HOST, { app: "host" }, ["10.88.0.1", "fd88::1", "10.89.0.1", "fd89::1"], "Host"),
  workload("lab/good", { app: "good" }, ["10.88.0.2", "fd88::2"]),
  behind("one", ["10.89.0.11", "fd89::11"]),
  behind("two", ["10.89.0.12", "fd89::12"]),
]);

const app = (name: string) => workloads("lab", { app: name });

const POLICY: PolicySet = {
  version: 1,
  name: "shop",
  generation: 1,
  rules: [
    rule("good-one", app("good"), app("one"), [ports("tcp", 80)]),
    rule("one-good", app("one"), app("good"), [ports("tcp", 9000)]),
    rule("good-host", app("good"), app("host"), [ports("tcp", 8443)]),
  ],
  isolations: [
    { selector: pods("lab", { app: "host" }), direction: "ingress", mode: "audit" },
    { selector: pods("lab", { app: "one" }), direction: "ingress", mode: "audit" },
    { selector: pods("lab", { app: "one" }), direction: "egress", mode: "audit" },
  ],
  groups: [],
};

before(async () => {
  network = new HostNetwork(["10.88.0.66"]);
  const inHost = ["ip", "-n", network.host];
  const lines = [
    "link add br0 type bridge",
    "addr add 10.89.0.1/24 dev br0",
    "addr add fd89::1/64 dev br0 nodad",
    "link set br0 up",
  ];
  run([...inHost, "-batch", "-"], `${lines.join("\n")}\n`);
  for (const [name, number] of Object.entries(CONTAINERS)) {
    const namespace = network.another(name);
    run([...inHost, "link", "add", `v-${name}`, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
    run([...inHost, "link", "set", `v-${name}`, "master", "br0", "up"]);
    const own = [
      `addr add 10.89.0.${number}/24 dev eth0`,
      `addr add fd89::${number}/64 dev eth0 nodad`,
      "link set eth0 up",
      "route add default via 10.89.0.1",
    ];
    run(["ip", "-n", namespace, "-batch", "-"], `${own.join("\n")}\n`);
    run(["ip", "-n", namespace, "-6", "route", "add", "default", "via", "fd89::1"]);
    agents.set(name, network.agent(["ip", "netns", "exec", namespace]));
  }
  run(["ip", "-n", network.peer, "route", "add", "10.89.0.0/24", "via", "10.88.0.1"]);
  run(["ip", "-n", network.peer, "-6", "route", "add", "fd89::/64", "via", "fd88::1"]);
  for (const knob of ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]) {
    run([...network.inHost, "sysctl", "-qw", knob]);
  }
  bridgeUnseen("1");
  network.nft(`table ip publish {
  chain pre {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr 10.88.0.1 tcp dport 8443 dnat to 10.89.0.13:443
    ip daddr 10.88.0.1 tcp dport 8444 dnat to 10.89.0.13:444
    ip daddr 10.88.0.1 tcp dport 9080 dnat to 10.89.0.11:80
  }
}
`);
  agents.set("peer", network.agent(network.inPeer));
  agents.set("host", network.agent(network.inHost));
  for (const name of ["one", "two"]) for (const port of [80, 81]) await agent(name).listen("tcp", port);
  for (const port of [443, 444]) await agent("three").listen("tcp", port);
  for (const port of [9000, 9001]) await agent("peer").listen("tcp", port);
  kernel = await openKernel({ host: HOST, wrap: network.inHost });
});
after(async () => {
  await kernel?.close();
  network?.close();
});

function bridgeUnseen(value: "0" | "1"): void {
  for (const family of ["iptables", "ip6tables"]) {
    run([...network.inHost, "sysctl", "-qw", `net.bridge.bridge-nf-call-${family}=${value}`]);
  }
}

const CALLS: readonly [
  what: string,
  from: string,
  address: string,
  port: number,
  own: string | undefined,
  isPermitted: boolean,
][] = [
  ["to a container, as permitted", "peer", "10.89.0.11", 80, undefined, true],
  ["to a container, as permitted, by IPv6", "peer", "fd89::11", 80, undefined, true],
  ["to another port of a container", "peer", "10.89.0.11", 81, undefined, false],
  ["to a container, by somebody else", "peer", "10.89.0.11", 80, "10.88.0.66", false],
  ["to another port of a container, by IPv6", "peer", "fd89::11", 81, undefined, false],
  ["from a container, as permitted", "one", "10.88.0.2", 9000, undefined, true],
  ["from a container, as permitted, by IPv6", "one", "fd88::2", 9000, undefined, true],
  ["from a container to another port", "one", "fd88::2", 9001, undefined, false],
  ["from a container that is open", "two", "10.88.0.2", 9001, undefined, true],
  ["to a container that is open", "peer", "10.89.0.12", 81, "10.88.0.66", true],
  ["between containers over the bridge", "two", "10.89.0.11", 80, undefined, false],
  ["between containers over the bridge, the other way", "one", "10.89.0.12", 80, undefined, false],
  ["to a published port of an unknown container, as permitted", "peer", "10.88.0.1", 8443, undefined, true],
  ["to the same, by somebody else", "peer", "10.88.0.1", 8443, "10.88.0.66", false],
  ["to another published port", "peer", "10.88.0.1", 8444, undefined, false],
  ["to a published port of a known container, as permitted there", "peer", "10.88.0.1", 9080, undefined, true],
  ["to the same, by somebody else", "peer", "10.88.0.1", 9080, "10.88.0.66", false],
];

async function order() {
  const isForwarding = await isForwardingHost(network.inHost);
  return wantedTable({ host: HOST, policySets: [POLICY], inventory: INVENTORY, isForwarding });
}

test("forwarded and published traffic passes in audit and is judged in deny", async (t) => {
  const wanted = await order();
  assert.deepEqual(await kernel.preflight(wanted), []);
  await kernel.load(wanted);
  for (const [what, from, address, port, own] of CALLS) {
    assert.equal(await agent(from).connect(address, port, PATIENT_MS, own), "ok", `in audit, ${what}`);
  }
  const [audit] = await kernel.counts();
  const misses = CALLS.filter(([, , , , , isPermitted]) => !isPermitted).length;
  assert.equal(
    audit?.edges.reduce((sum, { attempts }) => sum + attempts, 0),
    misses + 0,
    JSON.stringify(audit?.edges),
  );
  await kernel.lease("shop", 600_000);
  for (const [what, from, address, port, own, isPermitted] of CALLS) {
    const answer = await agent(from).connect(address, port, isPermitted ? PATIENT_MS : 400, own);
    assert.equal(answer, isPermitted ? "ok" : "timeout", `in deny, ${what}`);
  }
  t.diagnostic(`${CALLS.length} calls, ${misses} of them not permitted, each as the policy says`);
});

test("the parser reads what was loaded: from text and from JSON it means the same", async () => {
  const text = run([...network.inHost, "nft", "list", "table", "inet", "portolan"]);
  const json = run([...network.inHost, "nft", "-n", "-j", "list", "table", "inet", "portolan"]);
  const [one, other] = [parseNftText(text), parseNftJson(json)].map((table) =>
    programOfTables([{ workload: HOST, table }]),
  );
  const same = compare(one!, other!, INVENTORY);
  assert.equal(same.kind === "equal" ? "" : same.text, "");
  const subjects = JSON.stringify(one!.ingress.enforced);
  assert.ok(subjects.includes("10.89.0.11/32") && subjects.includes("fd89::11/128"));
});

test("a bridge that nobody hands over is refused, because it passes what no rule permits", async () => {
  await kernel.load(await order());
  await kernel.lease("shop", 600_000);
  bridgeUnseen("0");
  assert.equal(await agent("two").connect("10.89.0.11", 80, PATIENT_MS), "ok", "unseen");
  const [obstacle] = await kernel.preflight(await order());
  assert.deepEqual([obstacle?.code, obstacle?.gravity], ["bridge-unseen", "refuses"]);
  assert.match(obstacle?.text ?? "", /br0 .*net\.bridge\.bridge-nf-call-iptables=1/);
  bridgeUnseen("1");
  assert.deepEqual(await kernel.preflight(await order()), []);
  assert.equal(await agent("two").connect("10.89.0.11", 80, 400), "timeout");
});
