import assert from "node:assert/strict";
import test from "node:test";
import { CiliumClusterwideNetworkPolicy, CiliumNetworkPolicy } from "@kubernetes-models/cilium/cilium.io/v2";
import { AuthorizationPolicy } from "@kubernetes-models/istio/security.istio.io/v1";
import fc from "fast-check";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { parse } from "yaml";
import { TARGETS } from "../../../policy/formats/targets.js";
import { arbitraryBundleRequest } from "../arbitrary-bundle.js";
import { CALICO_KINDS, validateCalico } from "./calico-schema.js";

type Validate = (manifest: { readonly kind: string }) => void;

/** The classes want typed manifests; here they are given whatever came out. */
function model(kind: unknown): Validate {
  const Kind = kind as new (manifest: object) => { validate(): void };
  return (manifest) => new Kind(manifest).validate();
}

/** Validators made from the OpenAPI document of Kubernetes and from the CRDs of the planes, by kind; Calico's is our own. */
const SCHEMAS: Readonly<Record<string, Readonly<Record<string, Validate>>>> = {
  kubernetes: { NetworkPolicy: model(NetworkPolicy) },
  cilium: {
    CiliumClusterwideNetworkPolicy: model(CiliumClusterwideNetworkPolicy),
    CiliumNetworkPolicy: model(CiliumNetworkPolicy),
  },
  istio: { AuthorizationPolicy: model(AuthorizationPolicy) },
  calico: Object.fromEntries(CALICO_KINDS.map((kind) => [kind, validateCalico])),
};

for (const [target, kinds] of Object.entries(SCHEMAS)) {
  test(`every ${target} file of 300 random policies is valid by the published schema`, () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(arbitraryBundleRequest, ({ policySet, inventory, options }) => {
        const { files } = TARGETS.get(target)!.render(policySet, inventory, options);
        for (const { path, text } of files.filter((file) => file.path.includes("/"))) {
          const manifest = parse(text) as { kind: string };
          const validate = kinds[manifest.kind];
          assert.ok(validate, `${path}: no schema for ${manifest.kind}`);
          seen.add(manifest.kind);
          assert.doesNotThrow(() => validate(manifest), path);
        }
      }),
      { numRuns: 300 },
    );
    assert.deepEqual([...seen].sort(), Object.keys(kinds).sort());
  });
}
