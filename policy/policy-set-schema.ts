import { z } from "zod";
import { tryParseAddress } from "../model/address.js";
import { parseCidr } from "../model/cidr.js";
import type { LabelRequirement, LabelSelector } from "../model/label-selector.js";
import type { AllowRule } from "./allow-rule.js";
import type { Peer, WorkloadSelector } from "./peer.js";
import { POLICY_SET_VERSION, type PolicySet } from "./policy-set.js";
import type { Service } from "./service.js";

/** The shape of a policy set in a file; published as JSON Schema as part of policy.json. */

const texts = z.array(z.string()).readonly();
const count = z.number().int().nonnegative();

function isCidr(text: string): boolean {
  try {
    parseCidr(text);
    return true;
  } catch {
    return false;
  }
}

const cidr = z.string().refine(isCidr, { error: "wanted a CIDR such as 192.0.2.0/24" });
const address = z.string().refine((text) => tryParseAddress(text) !== undefined, { error: "wanted an address" });
const id = z.string().regex(/^[a-z0-9-]+$/, { error: "wanted lower-case letters, digits and hyphens" });

const labelRequirement = z.discriminatedUnion("operator", [
  z.strictObject({ key: z.string(), operator: z.enum(["In", "NotIn"]), values: texts }),
  z.strictObject({ key: z.string(), operator: z.enum(["Exists", "DoesNotExist"]) }),
]) satisfies z.ZodType<LabelRequirement>;

const labelSelector = z.strictObject({
  requirements: z.array(labelRequirement).readonly(),
}) satisfies z.ZodType<LabelSelector>;

const workloadSelector = z.strictObject({
  namespaces: labelSelector,
  labels: labelSelector,
  serviceAccounts: texts,
}) satisfies z.ZodType<WorkloadSelector>;

const peer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("workloads"), selector: workloadSelector }),
  z.strictObject({ kind: z.literal("cidr"), cidr, except: z.array(cidr).readonly() }),
  z.strictObject({ kind: z.literal("group"), name: z.string() }),
  z.strictObject({ kind: z.literal("fqdn"), pattern: z.string() }),
  z.strictObject({ kind: z.literal("any") }),
]) satisfies z.ZodType<Peer>;

const portNumber = count.max(65535);
const portRange = z
  .strictObject({ first: portNumber, last: portNumber })
  .refine(({ first, last }) => first <= last, { error: "wanted first <= last" });
const octet = count.max(255);

const service = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("ports"), protocol: z.enum(["tcp", "udp", "sctp"]), ports: portRange }),
  z.strictObject({
    kind: z.literal("icmp"),
    protocol: z.enum(["icmp", "icmpv6"]),
    type: z.exactOptional(octet),
    code: z.exactOptional(octet),
  }),
  z.strictObject({ kind: z.literal("protocol"), protocol: octet }),
  z.strictObject({ kind: z.literal("any") }),
]) satisfies z.ZodType<Service>;

const flowSample = z.strictObject({
  client: address,
  server: address,
  protocol: z.string(),
  clientPort: portNumber,
  serverPort: portNumber,
  startUs: z.number(),
  clientBytes: count,
  serverBytes: count,
  observer: z.string(),
});

const evidence = z.strictObject({
  firstSeenUs: z.number(),
  lastSeenUs: z.number(),
  windows: count,
  flows: count,
  clients: texts,
  servers: texts,
  observers: texts,
  names: texts,
  samples: z.array(flowSample).readonly(),
});

const widening = z.strictObject({
  kind: z.enum(["role", "ports", "addresses", "icmp", "lifeline"]),
  text: z.string(),
  cells: count,
});

const allowRule = z.strictObject({
  id,
  client: peer,
  server: peer,
  services: z.array(service).min(1).readonly(),
  reason: z.string(),
  confidence: z.number().min(0).max(1),
  evidence: z.exactOptional(evidence),
  widenings: z.array(widening).readonly(),
}) satisfies z.ZodType<AllowRule>;

const isolation = z.strictObject({
  selector: workloadSelector,
  direction: z.enum(["ingress", "egress"]),
  mode: z.enum(["audit", "deny"]),
});

export const policySetSchema = z.strictObject({
  version: z.literal(POLICY_SET_VERSION, { error: `wanted ${POLICY_SET_VERSION}, the only version of this format` }),
  name: id,
  generation: count.min(1),
  rules: z.array(allowRule).readonly(),
  isolations: z.array(isolation).readonly(),
  groups: z.array(z.strictObject({ name: z.string(), cidrs: z.array(cidr).readonly() })).readonly(),
}) satisfies z.ZodType<PolicySet>;
