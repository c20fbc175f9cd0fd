// What the enforcing process itself may suffer, on a real kernel with real packets. Each test begins with a host in deny.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { EnforcementSettings } from "../../policy/trust/enforcement-settings.js";
import { portolanWithin } from "../cli/signing-workspace.js";
import { cidr, peer as peerOf, ports, rule } from "../policy/sample-policy.js";
import { EnforcerProcess } from "./enforcer-process.js";
import { HostNetwork, PATIENT_MS, run, type TrafficAgent } from "./host-network.js";
import { SWIFT, signNow } from "./release.js";
import { HOST, IN_RULE, INVENTORY, scope } from "./sample-order.js";

const GOOD = 80;
const BAD = 81;
const CONTROLLER = { address: "10.88.0.2", port: 7443 };
const KNOWN = { ...INVENTORY, lifelines: { ...INVENTORY.lifelines, controllers: [CONTROLLER] } };
/** The bad port is knocked at all the time, and meant to be denied. */
const DISPOSITION = {
  client: "10.88.0.0/16",
  server: "10.88.0.1/32",
  protocol: 6,
  ports: { first: BAD, last: BAD },
  reason: "test",
};
/** The lease of a trial bounds how long a probe may take, too, and is renewed at a third of it. */
const SETTINGS = { ...SWIFT, trialMs: 500, trialLeaseMs: 15_000, leaseMs: 60_000, dispositions: [DISPOSITION] };

const program = (name: string) => fileURLToPath(new URL(`../../../test/enforcer/programs/${name}`, import.meta.url));

let network: HostNetwork;
let host: TrafficAgent;
let peer: TrafficAgent;

before(async () => {
  network = new HostNetwork();
  host = network.agent(network.inHost);
  peer = network.agent(network.inPeer);
  for (const port of [GOOD, BAD]) await host.listen("tcp", port);
  await peer.listen("tcp", CONTROLLER.port);
});
after(() => network?.close());

const isDropped = async () => (await peer.connect("10.88.0.1", BAD, 400)) === "timeout";
const isLetThrough = async () => (await peer.connect("10.88.0.1", BAD, PATIENT_MS)) === "ok";
const passes = async () => (await peer.connect("10.88.0.1", GOOD, PATIENT_MS)) === "ok";
const nft = (...args: string[]) => run([...network.inHost, "nft", ...args]);

async function denying(
  t: TestContext,
  more: Partial<EnforcementSettings> = {},
  { within = network.inHost, args = [] as readonly string[], policy = scope("shop", 1) } = {},
): Promise<EnforcerProcess> {
  const enforcer = new EnforcerProcess(within, HOST, KNOWN);
  t.after(async () => {
    await enforcer.remove();
    network.nft("add table inet portolan\ndelete table inet portolan\n");
  });
  enforcer.setPolicy(await signNow(policy, KNOWN, { ...SETTINGS, ...more }));
  await enforcer.start(args);
  await enforcer.untilPhase("shop", "audit", "ready");
  await enforcer.until(passes, "good traffic");
  await enforcer.untilPhase("shop", "ready");
  await enforcer.until(async () => (await enforcer.say({ verb: "promote", scope: "shop" })).isDone, "a promotion");
  await enforcer.untilPhase("shop", "deny");
  assert.ok(await isDropped());
  return enforcer;
}

/** What is answered at a socket in the file system. */
function askSocket(socketPath: string, path: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (reply) => {
      let text = "";
      reply.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      reply.on("end", () => resolve({ status: reply.statusCode, text }));
    })
      .on("error", reject)
      .end();
  });
}

test("metrics and health are told over a socket and in a file, with the host's own figures", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), `portolan-metrics-${process.pid}-`));
  t.after(() => rmSync(folder, { recursive: true }));
  const [socket, file] = [join(folder, "metrics.sock"), join(folder, "portolan.prom")];
  const enforcer = await denying(t, {}, { args: ["--metrics-listen", `unix:${socket}`, "--metrics-file", file] });
  const shown = async () => (await askSocket(socket, "/metrics")).text;
  for (const line of [
    'portolan_build_info{version="\\S+",process="enforce"} 1',
    'portolan_enforcer_state{scope="shop",state="deny"} 1',
    'portolan_enforcer_denying{scope="shop"} 1',
    'portolan_enforcer_lease_seconds{scope="shop"} \\d+',
    'portolan_enforcer_attempts_total{scope="shop",verdict="denied"} [1-9]\\d*',
    'portolan_enforcer_connections_permitted_total{scope="shop"} [1-9]\\d*',
    "portolan_enforcer_table_intact 1",
  ]) {
    await enforcer.until(
      async () => new RegExp(`^${line.replaceAll(/[{}]/g, "\\$&")}$`, "m").test(await shown()),
      line,
    );
  }
  // It is written anew every 15 s.
  await enforcer.until(
    () => /^portolan_enforcer_generation\{scope="shop"\} 1$/m.test(readFileSync(file, "utf8")),
    "the generation in the file",
  );
  await enforcer.until(async () => (await askSocket(socket, "/readyz")).status === 200, "readiness");
  await enforcer.say({ verb: "pause" });
  await enforcer.until(async () => /^portolan_enforcer_paused 1$/m.test(await shown()), "the pause");
  assert.equal(run([...network.inHost, "ss", "-Hlnt", "sport", "!=", `:${GOOD}`, "and", "sport", "!=", `:${BAD}`]), "");
  await enforcer.end();
  assert.ok(!existsSync(file), "nobody takes its last figures for today's");
});

test("it holds one capability, listens on no port, and its socket is root's alone", async (t) => {
  const enforcer = await denying(t);
  const status = readFileSync(`/proc/${enforcer.pid}/status`, "utf8");
  const NET_ADMIN = (1n << 12n).toString(16).padStart(16, "0");
  for (const set of ["CapEff", "CapPrm", "CapBnd"]) assert.match(status, new RegExp(`^${set}:\\s+${NET_ADMIN}$`, "m"));
  assert.equal(
    run([...network.inHost, "ss", "-Hlntup"])
      .split("\n")
      .filter((line) => line.includes(`pid=${enforcer.pid},`)).length,
    0,
  );
  assert.match(run(["stat", "-c", "%a %u", enforcer.socket]), /^600 0$/m);
});

test("killed in deny, the host is in audit after its lease, and the next one goes on by way of a trial", async (t) => {
  const leaseMs = 20_000;
  const enforcer = await denying(t, { leaseMs });
  const started = performance.now();
  await enforcer.end("SIGKILL");
  await enforcer.until(async () => !(await isDropped()), "audit");
  t.diagnostic(`in audit ${Math.round(performance.now() - started)} ms after SIGKILL, lease ${leaseMs} ms`);
  assert.ok(await passes());
  await enforcer.start();
  await enforcer.untilPhase("shop", "deny");
  assert.ok((await isDropped()) && (await passes()));
});

test("restarted within its lease, it changes nothing in the kernel and never stops denying", async (t) => {
  const enforcer = await denying(t);
  const rules = () => nft("-s", "-a", "list", "table", "inet", "portolan").replaceAll(/(expires|timeout) \S+/g, "");
  const before = rules().match(/chain [\s\S]*$/)?.[0];
  await enforcer.end();
  await enforcer.start();
  assert.ok(await isDropped());
  assert.equal(rules().match(/chain [\s\S]*$/)?.[0], before);
  assert.equal((await enforcer.status()).scopes[0]?.phase, "deny");
});

test("nft flush ruleset by somebody else: audit, warm-up, trial, deny, and what was open stays open", async (t) => {
  const enforcer = await denying(t);
  const open = await peer.hold("10.88.0.1", GOOD);
  nft("flush", "ruleset");
  await enforcer.until(() => /shop: table-gone/.test(enforcer.log), "the loss to be noticed");
  await enforcer.until(() => /(trial|deny) -> warm-up \(drifted\)/.test(enforcer.log), "a warm-up");
  await enforcer.until(() => /warm-up -> trial \(tick\)[\s\S]*trial -> deny/.test(enforcer.log), "deny again");
  assert.ok((await isDropped()) && (await passes()));
  assert.equal(await peer.echo(open), "ok");
});

test("a rule that somebody put into our table is noticed, taken out, and told", async (t) => {
  const enforcer = await denying(t);
  nft("insert", "rule", "inet", "portolan", "input", "accept");
  await enforcer.until(() => /shop: table-tampered/.test(enforcer.log), "the change to be noticed");
  await enforcer.until(() => /deny -> trial \(drifted\)[\s\S]*trial -> deny/.test(enforcer.log), "deny again");
  assert.ok((await isDropped()) && (await passes()));
});

/** Stands before the real nft: what holds the text in `NAME.spoil` gets a line more, for which the kernel refuses all of it. */
const SPOILER = `#!/bin/sh
real=$(PATH=\${PATH#*:}; command -v nft)
if [ "$*" = "-f -" ] && [ -s "$0.spoil" ]; then
  cat > "$0.$$"
  if grep -qFf "$0.spoil" "$0.$$"; then echo "delete chain inet portolan nobody" >> "$0.$$"; fi
  exec "$real" -f - < "$0.$$"
fi
exec "$real" "$@"
`;

test("a transaction that the kernel refuses leaves the generation before in deny, and is tried again", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), `portolan-spoiler-${process.pid}-`));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "nft"), SPOILER, { mode: 0o755 });
  const spoil = (text: string) => {
    writeFileSync(join(folder, "next.spoil"), text);
    renameSync(join(folder, "next.spoil"), join(folder, "nft.spoil")); // never half of it
  };
  const within = [...network.inHost, "env", `PATH=${folder}:${process.env.PATH}`];
  const enforcer = await denying(t, {}, { within });
  const failures = () => enforcer.log.match(/load-failed: .* generation 2 was not loaded, what was in force stays/g);
  const wider = rule("also", peerOf("lab", { app: "good" }), peerOf("lab", { app: "host" }), [ports("tcp", BAD)]);
  const steps = { build: "add set inet portolan in4_ports_shop_g2", flip: "jump in_shop_g2" };
  for (const [at, [step, text]] of Object.entries(steps).entries()) {
    spoil(text);
    if (at === 0) enforcer.setPolicy(await signNow(scope("shop", 2, [IN_RULE, wider]), KNOWN, SETTINGS));
    else enforcer.setInventory(KNOWN); // whatever waits is tried again then, and every 30 s
    await enforcer.until(() => (failures()?.length ?? 0) > at, `a refused ${step}`);
    assert.ok((await isDropped()) && (await passes()), step);
    const [shop] = (await enforcer.status()).scopes;
    assert.deepEqual([shop?.generation, shop?.phase], [1, "deny"], step);
  }
  spoil("");
  enforcer.setInventory(KNOWN);
  await enforcer.until(async () => (await enforcer.status()).scopes[0]?.generation === 2, "the new generation");
  assert.ok(await isLetThrough());
});

test("at nine tenths of the kernel's connections the table sleeps, and is in deny again when there is room", async (t) => {
  const everyPort = rule("datagrams", cidr("10.88.0.2/32"), { kind: "any" }, [ports("udp", 1, 65_535)]);
  const enforcer = await denying(t, {}, { policy: scope("shop", 1, [IN_RULE, everyPort]) });
  const most = Number(run([...network.inHost, "cat", "/proc/sys/net/netfilter/nf_conntrack_max"]));
  run([...network.inHost, "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=600"]);
  run([...network.inHost, "ip", "route", "replace", "local", "10.90.0.0/16", "dev", "lo"]);
  run(["ip", "-n", network.peer, "route", "add", "10.90.0.0/16", "via", "10.88.0.1"]);
  run([...network.inPeer, "python3", program("fill-connections.py"), String(Math.ceil(most * 0.92)), "10.90.0"]);
  await enforcer.until(() => /connections-full: .* our table sleeps/.test(enforcer.log), "the table to sleep");
  t.diagnostic(/connections-full: (.*)/.exec(enforcer.log)?.[1] ?? "");
  assert.ok(await isLetThrough(), "open, rather than short of connections");
  assert.ok(await passes());
  run([...network.inHost, "python3", program("forget-connections.py")]);
  await enforcer.until(() => /awake again[\s\S]*trial -> deny/.test(enforcer.log), "deny again");
  assert.ok((await isDropped()) && (await passes()));
});

test("a second enforcer on the host is refused, and the first goes on", async (t) => {
  const enforcer = await denying(t);
  const second = await portolanWithin(network.inHost, [
    ...[
      "enforce",
      "--host",
      HOST,
      "--keyring",
      enforcer.at("keyring.json"),
      "--inventory",
      enforcer.at("inventory.yaml"),
    ],
    ...["--state", enforcer.at("second"), "--socket", enforcer.at("second.sock")],
  ]);
  assert.equal(second.status, 3, second.stderr);
  assert.match(second.stderr, /another enforcer does; stop it first/);
  assert.ok(await isDropped());
});

test("a lease taken away by one line of nft stays away until a human promotes", async (t) => {
  const enforcer = await denying(t);
  nft("flush", "set", "inet", "portolan", "lease_shop");
  assert.ok(await isLetThrough(), "at once");
  await enforcer.untilPhase("shop", "rollback");
  await enforcer.until(() => /shop: lease-taken/.test(enforcer.log), "the reason");
  assert.ok((await enforcer.say({ verb: "promote", scope: "shop" })).isDone);
  await enforcer.untilPhase("shop", "deny");
});

test("pause, resume, rollback and quarantine work with no enforcer, no controller and no broker", async (t) => {
  const enforcer = await denying(t, { onSilence: "fail-static" });
  await enforcer.end("SIGKILL");
  assert.ok(await isDropped(), "fail-static holds without an enforcer");
  const local = async (...args: string[]) => {
    const { status, stdout, stderr } = await portolanWithin(network.inHost, [...args, "--socket", enforcer.socket]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /no enforcer runs: done in the kernel/);
  };
  await local("pause");
  assert.ok(await isLetThrough());
  await local("resume");
  assert.ok(await isDropped());
  await local("quarantine", "--for", "10m", "--state", enforcer.at("state"));
  assert.equal(await peer.connect("10.88.0.1", GOOD, 400), "timeout");
  assert.equal(await host.connect(CONTROLLER.address, CONTROLLER.port, PATIENT_MS), "ok");
  await local("quarantine", "--release");
  assert.ok(await passes());
  await local("rollback", "--scope", "shop");
  assert.ok(await isLetThrough());
});

test("a boot restores what was confirmed, denying at once where that is fail-static, and never what was on trial", async (t) => {
  const enforcer = await denying(t, { onSilence: "fail-static" });
  await enforcer.until(() => enforcer.log.includes("trial -> deny"), "a confirmation");
  const boot = ["enforce", "--boot", "--host", HOST, "--state", enforcer.at("state")];
  await enforcer.end("SIGKILL");
  nft("flush", "ruleset");
  assert.ok(await isLetThrough());
  const first = await portolanWithin(network.inHost, boot);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stderr, /restored shop generation 1\ndenying from the first packet: shop/);
  assert.ok((await isDropped()) && (await passes()));
  await enforcer.start();
  await enforcer.untilPhase("shop", "deny", "trial", "");
  assert.equal((await enforcer.status()).scopes[0]?.generation, 1);
});
