import { z } from "zod";
import { tryParseAddress } from "./address.js";
import { parseCidr } from "./cidr.js";
import { parseProtocol } from "./protocol.js";
import { parseTimeUs } from "./time-window.js";

/** The shape of an inventory file as it is written; `inventory-file.ts` turns it into an `Inventory`. */

/** Names that the address index gives by itself, so that no file may give them another meaning. */
export const RESERVED_GROUPS = [
  "broadcast",
  "external",
  "link-local",
  "loopback",
  "multicast",
  "private",
  "unspecified",
] as const;

function accepts(read: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      read(text);
      return true;
    } catch {
      return false;
    }
  };
}

function text(wanted: string, isGood: (value: string) => boolean) {
  return z.string({ error: `wanted ${wanted}` }).refine(isGood, { error: `wanted ${wanted}` });
}

/** A mapping that knows all its fields: any other one is refused by name, so that a typing error never passes silently. */
function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const fields = Object.keys(shape).sort().join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `wanted one of the known fields: ${fields}`
        : `wanted a mapping with the fields ${fields}`,
  });
}

function list<Item extends z.ZodType>(item: Item) {
  return z.array(item, { error: "wanted a list" });
}

const matches = (pattern: RegExp) => (value: string) => pattern.test(value);
const LABEL_NAME = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)$/;

function isLabelKey(key: string): boolean {
  const slash = key.lastIndexOf("/");
  const prefix = slash < 0 ? "" : key.slice(0, slash);
  const isPrefixGood =
    slash < 0 ||
    (prefix.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(prefix));
  return isPrefixGood && LABEL_NAME.test(key.slice(slash + 1));
}

const name = text(
  'a name of letters, digits, ".", "_" and "-", at most 253 long, beginning with a letter or digit',
  matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/),
);
const workloadId = text(
  'an id such as shop/web-1: letters, digits, ".", "_", ":", "/" and "-", at most 512 long',
  matches(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,511}$/),
);
const groupName = text(
  `a lower-case name such as office that is none of ${RESERVED_GROUPS.join(", ")}`,
  (value) => /^[a-z0-9][a-z0-9._-]{0,252}$/.test(value) && !RESERVED_GROUPS.some((reserved) => reserved === value),
);
const labels = z.record(
  text("a label key as Kubernetes allows, such as app or example.com/tier", isLabelKey),
  text(
    'a label value as Kubernetes allows: text (quote numbers and true/false) of at most 63 letters, digits, ".", "_" and "-"',
    (value) => value === "" || LABEL_NAME.test(value),
  ),
  { error: "wanted a mapping of label keys to text" },
);
const address = text(
  "an IPv4 or IPv6 address such as 192.0.2.1 or 2001:db8::1",
  (value) => tryParseAddress(value) !== undefined,
);
const cidr = text("a CIDR such as 192.0.2.0/24, or one address", accepts(parseCidr));
const time = text("a time in RFC 3339 with a zone such as 2026-01-31T08:00:00Z", accepts(parseTimeUs));
const port = z
  .number({ error: "wanted a port 1..65535" })
  .refine((value) => Number.isInteger(value) && value >= 1 && value <= 65535, { error: "wanted a port 1..65535" });

const addressInterval = z.preprocess(
  (value) => (typeof value === "string" ? { address: value } : value),
  mapping({ address, from: time.optional(), until: time.optional() }),
);

const workloadFields = {
  id: workloadId.optional(),
  namespace: name,
  name,
  kind: text(
    "text such as Host or Deployment, at most 63 long",
    (value) => value !== "" && value.length <= 63,
  ).optional(),
  serviceAccount: name.optional(),
  host: workloadId.optional(),
  labels: labels.optional(),
  ports: list(
    mapping({ name, protocol: text("a protocol such as tcp, udp or sctp", accepts(parseProtocol)), port }),
  ).optional(),
  addresses: list(addressInterval).optional(),
};

const version = z.literal(1, { error: "wanted 1, the only version of this format" });
const namespaceFields = { name, labels: labels.optional() };
const sharedFields = { name, namespace: name, addresses: list(address), members: list(workloadId) };
const groupFields = { name: groupName, cidrs: list(cidr) };
const lifelineFields = {
  management: list(cidr).optional(),
  resolvers: list(cidr).optional(),
  timeServers: list(cidr).optional(),
  controllers: list(mapping({ address, port })).optional(),
};

export const inventoryFileSchema = mapping({
  version,
  namespaces: list(mapping(namespaceFields)).optional(),
  workloads: list(mapping(workloadFields)).optional(),
  shared: list(mapping(sharedFields)).optional(),
  groups: list(mapping(groupFields)).optional(),
  lifelines: mapping(lifelineFields).optional(),
});

export type InventoryFile = z.infer<typeof inventoryFileSchema>;

/** Entries of an inventory file as they travel one by one, see inventory-message.ts. */
export const inventoryRowSchemas = {
  namespaces: mapping({ version, ...namespaceFields }),
  workloads: mapping({ version, ...workloadFields }),
  shared: mapping({ version, ...sharedFields }),
  groups: mapping({ version, ...groupFields }),
  lifelines: mapping({ version, ...lifelineFields }),
} as const;
