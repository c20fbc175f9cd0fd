import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { formatAddress, parseAddress } from "../../model/address.js";
import type { AddressRange } from "../../model/cidr.js";
import type { Workload } from "../../model/workload.js";
import { compare } from "../../policy/compare.js";
import { compileProgram } from "../../policy/decision/compiled-policy.js";
import { formatServicePoint, intervalsOfService, servicePoint } from "../../policy/decision/service-line.js";
import { programOfExpressed } from "../../policy/expressed-program.js";
import { expressForHosts } from "../../policy/formats/nftables/express-for-hosts.js";
import { isolatedHosts, tablePlan } from "../../policy/formats/nftables/host-ruleset.js";
import { parseNftJson } from "../../policy/formats/nftables/parse-json.js";
import { parseNftText } from "../../policy/formats/nftables/parse-text.js";
import { programOfTables } from "../../policy/formats/nftables/program-of-table.js";
import { flipText, generationText, leaseText, structureText } from "../../policy/formats/nftables/ruleset-text.js";
import { currentAddresses, type Selection } from "../../policy/selection.js";
import { arbitraryBundleRequest, type BundleRequest } from "./arbitrary-bundle.js";
import type { CraftedPacket } from "./craft-packet.js";
import { ObservedHost } from "./nft-observer.js";

/** As many as CI can afford; a longer run by hand sets PORTOLAN_KERNEL_POLICIES. */
const POLICIES = Number(process.env.PORTOLAN_KERNEL_POLICIES ?? 40);
const PACKETS_OF_HOST = 150; // to and from each host that is tried

/** Whether a packet from or to this address can be on a wire at all, and is not the kernel's to refuse. */
function isOnTheWire(family: 4 | 6, value: bigint): boolean {
  if (family === 4) {
    const first = Number(value >> 24n);
    return first !== 0 && first !== 127 && first < 224;
  }
  return value >> 8n !== 0n && value >> 120n !== 0xffn && value >> 118n !== 0x3fan;
}

function borders(ranges: readonly AddressRange[]): string[] {
  return ranges.flatMap(({ family, first, last }) =>
    [first - 1n, first, last, last + 1n]
      .filter((value) => value >= 0n && value < 1n << (family === 4 ? 32n : 128n) && isOnTheWire(family, value))
      .map((value) => formatAddress({ family, value })),
  );
}

/** Addresses and services on both sides of every border that the policy draws. */
function tests(
  request: BundleRequest,
  selection: Selection,
  host: Workload,
  rules: BundleRequest["policySet"]["rules"],
) {
  const own = new Set(currentAddresses(host));
  const peers = rules.flatMap((rule) => [rule.client, rule.server]).flatMap((peer) => selection.rangesOf(peer) ?? []);
  const others = request.inventory.workloads.flatMap(currentAddresses);
  const addresses = [...new Set([...borders(peers), ...others, "203.0.113.9", "2001:db8:9::9"])].filter(
    (address) => !own.has(address),
  );
  const points = new Set([servicePoint(6, 22), servicePoint(17, 53), servicePoint(47, 0), servicePoint(253, 0)]);
  for (const { first, last } of rules.flatMap((rule) => rule.services).flatMap(intervalsOfService)) {
    for (const point of [first - 1, first, last, last + 1]) if (point >= 0 && point < 1 << 24) points.add(point);
  }
  const services = [...points].filter((point) => [1, 6, 17, 47, 58, 132, 253].includes(point >>> 16));
  return { own: [...own], addresses: addresses.sort(), services: services.sort((a, b) => a - b) };
}

function packetsOf(direction: "in" | "out", wanted: ReturnType<typeof tests>, seed: number): CraftedPacket[] {
  const combination = fc.record({
    near: fc.constantFrom(...wanted.own),
    far: fc.constantFrom(...wanted.addresses),
    service: fc.constantFrom(...wanted.services),
  });
  const packets: CraftedPacket[] = [];
  for (const { near, far, service } of fc.sample(combination, { seed, numRuns: PACKETS_OF_HOST * 3 })) {
    const { family } = parseAddress(near);
    const protocol = service >>> 16;
    const isPossible = parseAddress(far).family === family && protocol !== (family === 4 ? 58 : 1);
    if (!isPossible || packets.length >= PACKETS_OF_HOST) continue;
    const [source, destination] = direction === "in" ? [far, near] : [near, far];
    const isIcmp = protocol === 1 || protocol === 58;
    const port = isIcmp ? (service >>> 8) & 255 : service & 0xffff;
    packets.push({ id: packets.length + 1, source, destination, protocol, port, icmpCode: isIcmp ? service & 255 : 0 });
  }
  return packets;
}

test("the kernel and the verdict engine agree on every packet, and the kernel lists what was loaded", (t) => {
  const observed = new ObservedHost();
  t.after(() => observed.close());
  const tried = { in: 0, out: 0, passed: 0, ipv6: 0, tcp: 0, udp: 0, sctp: 0, icmp: 0, other: 0 };
  const requests = fc.sample(arbitraryBundleRequest, { seed: 7, numRuns: POLICIES });
  for (const [number, request] of requests.entries()) {
    const expression = expressForHosts(request.policySet, request.inventory, request.options);
    const program = programOfExpressed(expression.expressed, request.inventory);
    const compiled = compileProgram(program, request.inventory);
    const hosts = isolatedHosts(expression).filter((each) => currentAddresses(each).length > 0);
    for (const host of hosts.slice(0, 2)) {
      const plan = tablePlan([expression], host, { isPublishing: true });
      const text = [
        ...plan.scopes.map((scope) => generationText(scope, 0, true)),
        structureText(plan),
        flipText(plan),
        leaseText(request.policySet.name, "deny"),
      ].join("");
      observed.load(currentAddresses(host), text);

      const read = (table: ReturnType<typeof parseNftText>) => programOfTables([{ workload: host.id, table }]);
      const json = observed.inHost(["nft", "-n", "-j", "list", "ruleset"]);
      const listed = observed.inHost(["nft", "list", "table", "inet", "portolan"]);
      for (const other of [parseNftJson(json), parseNftText(listed)]) {
        const same = compare(read(parseNftText(text)), read(other), request.inventory);
        assert.equal(same.kind === "equal" ? "" : same.text, "");
      }

      const wanted = tests(request, expression.selection, host, expression.expressed.policySet.rules);
      for (const direction of ["in", "out"] as const) {
        const packets = packetsOf(direction, wanted, number);
        const passed = observed.send(direction, packets);
        for (const packet of packets) {
          const near = compiled.pointOfAddress(parseAddress(direction === "in" ? packet.destination : packet.source));
          const far = compiled.pointOfAddress(parseAddress(direction === "in" ? packet.source : packet.destination));
          const service = servicePoint(packet.protocol, packet.port, packet.icmpCode);
          const [client, server] = direction === "in" ? [far, near] : [near, far];
          const decision = compiled.explain(client, server, service);
          const judged = direction === "in" ? decision.ingress : decision.egress;
          const what = `${packet.source} > ${packet.destination} ${formatServicePoint(service)}, ${direction} at ${host.id}: ${judged.reason}\n${text}`;
          assert.equal(passed.has(packet), judged.verdict === "allowed", what);
          tried[direction]++;
          if (passed.has(packet)) tried.passed++;
          if (packet.source.includes(":")) tried.ipv6++;
          const names = { 6: "tcp", 17: "udp", 132: "sctp", 1: "icmp", 58: "icmp" } as const;
          tried[names[packet.protocol as keyof typeof names] ?? "other"]++;
        }
      }
    }
  }
  t.diagnostic(JSON.stringify(tried));
  assert.ok(tried.in + tried.out >= 2000, `only ${tried.in + tried.out} packets`);
  for (const count of Object.values(tried)) assert.ok(count >= 50, JSON.stringify(tried));
});
