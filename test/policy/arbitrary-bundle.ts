import fc from "fast-check";
import type { Inventory } from "../../model/workload.js";
import type { RenderOptions } from "../../policy/bundle.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { arbitraryInventory, arbitraryPolicySet } from "./arbitrary.js";

/** What a renderer is asked for: a policy set with names too, over pods and machines with lifelines and shared addresses. */
export interface BundleRequest {
  readonly policySet: PolicySet;
  readonly inventory: Inventory;
  readonly options: RenderOptions;
}

const KINDS = ["Deployment", "Deployment", "VM"];

const inventory: fc.Arbitrary<Inventory> = fc
  .record({
    base: arbitraryInventory,
    kinds: fc.array(fc.constantFrom(...KINDS), { minLength: 6, maxLength: 6 }),
    lifelines: fc.record({
      management: fc.subarray(["10.0.0.0/31", "fd00::/127"]),
      resolvers: fc.subarray(["10.0.1.1/32", "192.0.2.53/32", "2001:db8::53/128"]),
      timeServers: fc.subarray(["192.0.2.123/32"]),
      controllers: fc.subarray([
        { address: "10.0.0.2", port: 443 },
        { address: "2001:db8::7", port: 7443 },
      ]),
    }),
    sharedMembers: fc.integer({ min: 0, max: 3 }),
    behind: fc.subarray([1, 2, 4]),
  })
  .map(({ base, kinds, lifelines, sharedMembers, behind }) => {
    const host = base.workloads[0]?.id;
    const workloads = base.workloads.map((workload, i) => ({
      ...workload,
      kind: kinds[i] as string,
      ...(host !== undefined && behind.includes(i) ? { host } : {}),
    }));
    const members = workloads.slice(0, sharedMembers).map((workload) => workload.id);
    const shared = members.length === 0 ? [] : [{ name: "vip", namespace: "alpha", addresses: ["10.0.9.9"], members }];
    return { ...base, workloads, lifelines, shared };
  });

const policySet: fc.Arbitrary<PolicySet> = fc
  .tuple(arbitraryPolicySet, fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 1 }))
  .map(([base, named]) => ({
    ...base,
    rules: base.rules.map((rule, i) =>
      named.includes(i) ? { ...rule, server: { kind: "fqdn" as const, pattern: "api.example.com" } } : rule,
    ),
  }));

export const arbitraryBundleRequest: fc.Arbitrary<BundleRequest> = fc.record({
  policySet,
  inventory,
  options: fc.record({ mode: fc.constantFrom("audit" as const, "deny" as const), acceptWidenings: fc.boolean() }),
});
