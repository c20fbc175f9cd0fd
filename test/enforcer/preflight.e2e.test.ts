import assert from "node:assert/strict";
import test, { afterEach, beforeEach } from "node:test";
import { fileURLToPath } from "node:url";
import { openKernel } from "../../enforcer/nft-kernel.js";
import { cidr, ports, rule } from "../policy/sample-policy.js";
import { HostNetwork, run } from "./host-network.js";
import { HOST, scope, wanted } from "./sample-order.js";

const TUPLES = fileURLToPath(new URL("../../../test/enforcer/programs/fill-connections.py", import.meta.url));

let network: HostNetwork;
beforeEach(() => {
  network = new HostNetwork();
});
afterEach(() => network?.close());

async function obstacles(host = HOST): Promise<(readonly [code: string, gravity: string, text: string])[]> {
  const kernel = await openKernel({ host, wrap: network.inHost });
  try {
    return (await kernel.preflight()).map(({ code, gravity, text }) => [code, gravity, text] as const);
  } finally {
    await kernel.close();
  }
}

test("a host without anything in the way is protected, also beside tables that only translate or drop a few", async () => {
  assert.deepEqual(await obstacles(), []);
  network.nft(
    "table ip x {\n chain in {\n type filter hook input priority 0; policy accept;\n ip saddr 192.0.2.1 drop\n }\n}\n",
  );
  const found = await obstacles();
  assert.deepEqual(
    found.map(([code, gravity]) => [code, gravity]),
    [["foreign-drop", "warns"]],
  );
  assert.match(found[0]?.[2] ?? "", /chain ip x in .* 1 rules that drop before we are asked/);
});

const DROPS = [
  "chain in {\n type filter hook input priority 0; policy drop;\n tcp dport 22 accept\n }",
  "chain in {\n type filter hook forward priority -1; policy accept;\n ct state established accept\n counter drop\n }",
  "chain in {\n type filter hook output priority 0; policy accept;\n reject\n }",
];
for (const [at, chain] of DROPS.entries()) {
  test(`a foreign default drop before us is refused, with its place and what to do (${at + 1})`, async () => {
    network.nft(`table ip x {\n ${chain}\n}\n`);
    const [found] = await obstacles();
    assert.deepEqual(found?.slice(0, 2), ["foreign-drop", "refuses"]);
    assert.match(found?.[2] ?? "", /chain ip x in .*: let it accept by default, or move its rules into the policy/);
  });
}

test("a foreign drop after us is none of our business, nor is what is never reached from a hook", async () => {
  network.nft(
    "table ip x {\n chain a {\n drop\n }\n chain in {\n type filter hook input priority 100; policy drop;\n accept\n }\n}\n",
  );
  assert.deepEqual(await obstacles(), []);
});

test("a table of a paused or owned kind, which nft 1.0.6 cannot list, does not hide a drop", async () => {
  network.nft(
    "table inet paused {\n flags dormant;\n}\ntable ip x {\n chain in {\n type filter hook input priority 0; policy drop;\n }\n}\n",
  );
  assert.deepEqual(
    (await obstacles()).map(([code]) => code),
    ["foreign-drop"],
  );
});

test("the table of an enforcer with another host id is refused", async () => {
  const kernel = await openKernel({ host: HOST, wrap: network.inHost });
  await kernel.load(wanted([scope("shop", 1)]));
  await kernel.close();
  assert.deepEqual(await obstacles(), []);
  const [found] = await obstacles("lab/other");
  assert.deepEqual(found?.slice(0, 2), ["second-enforcer", "refuses"]);
  assert.match(found?.[2] ?? "", /nft delete table inet portolan/);
});

test("a process without CAP_NET_ADMIN is told so", async () => {
  const drop = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
  const kernel = await openKernel({ host: HOST, wrap: [...network.inHost, ...drop] });
  const [found] = await kernel.preflight();
  await kernel.close();
  assert.deepEqual([found?.code, found?.gravity], ["no-permission", "refuses"]);
  assert.match(found?.text ?? "", /CAP_NET_ADMIN/);
});

test("a table of connections that is three quarters full is refused, with a number to set", async (t) => {
  const kernel = await openKernel({ host: HOST, wrap: network.inHost });
  const everyPort = rule("r1", cidr("10.88.0.2/32"), { kind: "any" }, [ports("udp", 1, 65_535)]);
  await kernel.load(wanted([scope("shop", 1, [everyPort])]));
  run([...network.inHost, "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=600"]);
  const most = Number(run([...network.inHost, "cat", "/proc/sys/net/netfilter/nf_conntrack_max"]));
  run([...network.inHost, "ip", "route", "replace", "local", "10.90.0.0/16", "dev", "lo"]);
  run(["ip", "-n", network.peer, "route", "add", "10.90.0.0/16", "via", "10.88.0.1"]);
  run([...network.inPeer, "python3", TUPLES, String(Math.ceil(most * 0.76)), "10.90.0"]);
  const [found] = await kernel.preflight();
  const state = await kernel.readBack();
  await kernel.close();
  t.diagnostic(found?.text ?? "nothing found");
  assert.deepEqual([found?.code, found?.gravity], ["conntrack-full", "refuses"]);
  assert.match(found?.text ?? "", /raise net\.netfilter\.nf_conntrack_max to \d+ or more/);
  assert.ok((state.connections?.taken ?? 0) > most * 0.75);
});
