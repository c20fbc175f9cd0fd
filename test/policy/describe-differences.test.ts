import assert from "node:assert/strict";
import test from "node:test";
import type { CompiledPolicy } from "../../policy/decision/compiled-policy.js";
import { compileTogether } from "../../policy/decision/compiled-policy.js";
import { describeDifferences, formatChange } from "../../policy/describe-differences.js";
import { readKubernetes } from "../../policy/formats/kubernetes/read.js";
import { TOWN } from "./formats/ask.js";

function lines(before: string, after: string): string[] {
  const read = (text: string) => readKubernetes([{ path: "all.yaml", text: TOWN + text }]);
  const [one, other] = [read(before), read(after)];
  const [a, b] = compileTogether([one.program, other.program], one.cluster.inventory) as [
    CompiledPolicy,
    CompiledPolicy,
  ];
  return describeDifferences(a, b).map(formatChange);
}

const policy = (rules: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: p, namespace: shop }\nspec: { podSelector: { matchLabels: { app: web } }, ingress: [${rules}] }\n`;

test("equal policies have nothing to tell", () => {
  assert.deepEqual(lines(policy("{}"), policy("{ ports: [] }")), []);
});

test("a direction that is closed is told once for all who lose it", () => {
  assert.deepEqual(lines("", policy("")), [
    "becomes denied (was allowed): 0.0.0.0/0, ops/probe, shop/db to shop/web, everything",
  ]);
});

test("what is lost comes before what is won, with ports as ranges", () => {
  const before = policy("{ from: [{ podSelector: {} }], ports: [{ port: 80, endPort: 90 }] }");
  const after = policy(
    "{ from: [{ podSelector: {} }], ports: [{ port: 85, endPort: 95 }, { port: 53, protocol: UDP }] }",
  );
  assert.deepEqual(lines(before, after), [
    "becomes denied (was allowed): shop/db to shop/web, tcp 80-84",
    "becomes allowed (was denied): shop/db to shop/web, tcp 91-95, udp 53",
  ]);
});

test("addresses are told as blocks", () => {
  const open = (except: string) => policy(`{ from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [${except}] } }] }`);
  assert.deepEqual(lines(open(""), open("192.0.2.128/26")), [
    "becomes denied (was allowed): 192.0.2.128/26 to shop/web, everything",
  ]);
});
