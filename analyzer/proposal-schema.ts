import { z } from "zod";
import { policySetSchema } from "../policy/policy-set-schema.js";
import { PROPOSAL_VERSION, type Proposal } from "./proposal.js";

const texts = z.array(z.string()).readonly();
const count = z.number().int().nonnegative();

/** The shape of policy.json; published as docs/schemas/policy.schema.json. */
export const proposalSchema = z.strictObject({
  version: z.literal(PROPOSAL_VERSION, { error: `wanted ${PROPOSAL_VERSION}, the only version of this format` }),
  state: z.enum(["not-enough-data", "learning", "ready-for-review"]),
  stateReason: z.string(),
  gates: z
    .array(z.strictObject({ name: z.string(), isMet: z.boolean(), value: z.string(), wanted: z.string() }))
    .readonly(),
  fromUs: z.number(),
  untilUs: z.number(),
  policySet: policySetSchema,
  roles: z
    .array(z.strictObject({ name: z.string(), basis: z.enum(["labels", "profile", "single"]), members: texts }))
    .readonly(),
  openWorkloads: z.array(z.strictObject({ workload: z.string(), reason: z.string() })).readonly(),
  exclusions: z
    .array(
      z.strictObject({
        kind: z.enum(["unanswered", "refused", "scan", "quarantine", "direction", "midstream", "housekeeping"]),
        client: z.string(),
        server: z.string(),
        protocol: z.string(),
        ports: z.array(count.max(65535)).readonly(),
        flows: count,
        firstSeenUs: z.number(),
        lastSeenUs: z.number(),
        reason: z.string(),
      }),
    )
    .readonly(),
  gaps: z
    .array(
      z.strictObject({
        collector: z.string(),
        fromUs: z.number(),
        untilUs: z.number(),
        lost: z.union([count, z.literal("unknown")]),
        lostFlows: count.optional(),
        reason: z.string(),
      }),
    )
    .readonly(),
}) satisfies z.ZodType<Proposal>;
