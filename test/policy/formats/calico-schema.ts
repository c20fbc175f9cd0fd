import { z } from "zod";
import { parseSelector } from "../../../policy/formats/calico/selector-expression.js";

/**
 * What Calico's CRDs and the validator of its API server accept of the kinds that we write, restated by hand from its API
 * documentation, since no package has them: fields and types, names, and the limits that no type can hold.
 */
const selector = z
  .string()
  .max(1024)
  .refine((text) => {
    parseSelector(text);
    return true;
  });

const net = z.string().regex(/^[0-9a-fA-F:.]+\/\d{1,3}$/);
const nets = z
  .array(net)
  .max(256)
  .refine((list) => new Set(list.map((each) => each.includes(":"))).size <= 1, "nets of one family");
const port = z.union([z.int().min(1).max(65535), z.string().regex(/^\d{1,5}:\d{1,5}$/)]);

const entity = z.strictObject({
  nets: nets.optional(),
  notNets: nets.optional(),
  selector: selector.optional(),
  namespaceSelector: selector.optional(),
  ports: z.array(port).max(50).optional(),
});

const rule = z
  .strictObject({
    action: z.enum(["Allow", "Deny", "Log", "Pass"]),
    protocol: z
      .union([z.enum(["TCP", "UDP", "ICMP", "ICMPv6", "SCTP", "UDPLite"]), z.int().min(1).max(255)])
      .optional(),
    icmp: z.strictObject({ type: z.int().min(0).max(254), code: z.int().min(0).max(255).optional() }).optional(),
    source: entity.optional(),
    destination: entity.optional(),
    metadata: z.strictObject({ annotations: z.record(z.string(), z.string()) }).optional(),
  })
  .refine(
    ({ protocol, source, destination }) =>
      (source?.ports === undefined && destination?.ports === undefined) ||
      ["TCP", "UDP", "SCTP"].includes(String(protocol)),
    "ports need a protocol that has them",
  )
  .refine(
    ({ icmp, protocol }) => icmp === undefined || protocol === "ICMP" || protocol === "ICMPv6",
    "icmp needs its protocol",
  )
  .refine(
    ({ source, destination }) =>
      new Set([...(source?.nets ?? []), ...(destination?.nets ?? [])].map((each) => each.includes(":"))).size <= 1,
    "nets of one family in a rule",
  );

const rules = z.array(rule).max(1024);
const types = z
  .array(z.enum(["Ingress", "Egress"]))
  .min(1)
  .max(2);
const label = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

function kind(name: string) {
  const [isStaged, isGlobal] = [name.startsWith("Staged"), name.includes("Global")];
  return z.strictObject({
    apiVersion: z.literal("projectcalico.org/v3"),
    kind: z.literal(name),
    metadata: z.strictObject({
      name: z
        .string()
        .max(253)
        .regex(new RegExp(`^${label}\\.${label}$`)), // "<tier>.<label>"
      ...(isGlobal ? {} : { namespace: z.string().regex(new RegExp(`^${label}$`)) }),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
    }),
    spec: z.strictObject({
      ...(isStaged ? { stagedAction: z.enum(["Set", "Delete", "Learn", "Ignore"]).optional() } : {}),
      ...(isGlobal ? { namespaceSelector: selector.optional() } : {}),
      tier: z.string().regex(new RegExp(`^${label}$`)),
      order: z.number(),
      selector,
      types,
      ingress: rules.optional(),
      egress: rules.optional(),
    }),
  });
}

export const CALICO_KINDS = [
  "GlobalNetworkPolicy",
  "NetworkPolicy",
  "StagedGlobalNetworkPolicy",
  "StagedNetworkPolicy",
];

const SCHEMAS = new Map(CALICO_KINDS.map((name) => [name, kind(name)]));

/** @throws {Error} With what Calico would not take. */
export function validateCalico(manifest: { readonly kind: string }): void {
  const schema = SCHEMAS.get(manifest.kind);
  if (schema === undefined)
    throw new RangeError(`Cannot validate kind "${manifest.kind}": wanted a kind that we write`);
  schema.parse(manifest);
}
