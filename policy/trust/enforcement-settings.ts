import { z } from "zod";
import { tryParseAddress } from "../../model/address.js";
import { parseCidr } from "../../model/cidr.js";

/**
 * How a policy set is to be enforced, decided by its author and signed with it: times are spans, measured by each host's
 * own monotonic clock.
 */
const span = (hours: number) =>
  z
    .number()
    .int()
    .positive()
    .max(hours * 3_600_000);
const address = z.string().refine((text) => tryParseAddress(text) !== undefined, { error: "wanted an address" });
const port = z.number().int().min(1).max(65535);
const hosts = z.array(z.string().max(512)).max(10_000).readonly();

const probe = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("tcp"), address, port, hosts: z.exactOptional(hosts) }),
  z.strictObject({
    kind: z.literal("http"),
    address,
    port,
    path: z.string().regex(/^\/[\x21-\x7e]{0,512}$/, { error: "wanted a path such as /healthz" }),
    hosts: z.exactOptional(hosts),
  }),
  z.strictObject({
    kind: z.literal("dns"),
    address,
    name: z.string().regex(/^[A-Za-z0-9._-]{1,253}$/, { error: "wanted a DNS name" }),
    hosts: z.exactOptional(hosts),
  }),
]);

function isCidr(text: string): boolean {
  try {
    parseCidr(text);
    return true;
  } catch {
    return false;
  }
}

const cidr = z.string().refine(isCidr, { error: "wanted a CIDR such as 192.0.2.0/24" });

const disposition = z.strictObject({
  client: cidr,
  server: cidr,
  protocol: z.exactOptional(z.number().int().min(0).max(255)),
  ports: z.exactOptional(z.strictObject({ first: z.number().int().min(0), last: z.number().int().max(65535) })),
  reason: z.string().min(1).max(256),
});

/** Traffic that reviewers looked at and want denied: it neither disturbs the quiet before a trial nor fails one. */
export type Disposition = z.infer<typeof disposition>;

/** Something that must answer while deny is in force, asked by a fresh socket; `hosts` absent: by every host. */
export type HealthProbe = z.infer<typeof probe>;

export const enforcementSettingsSchema = z.strictObject({
  /** When no confirmation comes: `fail-open` lets the lease run out, `fail-static` keeps denying. */
  onSilence: z.enum(["fail-open", "fail-static"]).default("fail-open"),
  /** A deny is renewed without word from the controller for so long; then `onSilence` decides. */
  maxOfflineMs: span(24 * 366).default(24 * 3_600_000),
  leaseMs: span(24).default(15 * 60_000),
  /** A trial's lease, and how long a trial must hold before it becomes deny. */
  trialLeaseMs: span(1).default(120_000),
  trialMs: span(24 * 31).default(10 * 60_000),
  /** Connections become known to the kernel for so long before anything is counted. */
  warmUpMs: span(24 * 31).default(24 * 3_600_000),
  /** Audit lasts at least so long, and for the last `quietMs` of it nothing unexpected may have been counted. */
  auditMs: span(24 * 366).default(7 * 24 * 3_600_000),
  quietMs: span(24 * 366).default(24 * 3_600_000),
  /** Attempts nobody looked at that a trial may drop before it is taken back. */
  dropBudget: z.number().int().nonnegative().default(100),
  dispositions: z.array(disposition).max(10_000).readonly().default([]),
  /** Families in which every confirmation makes a fresh connection to a controller. */
  families: z
    .array(z.union([z.literal(4), z.literal(6)]))
    .readonly()
    .default([4]),
  probes: z.array(probe).max(64).readonly().default([]),
  /** Workload ids that try deny first. */
  canaries: hosts.default([]),
});

export type EnforcementSettings = z.infer<typeof enforcementSettingsSchema>;

export const DEFAULT_SETTINGS: EnforcementSettings = enforcementSettingsSchema.parse({});
