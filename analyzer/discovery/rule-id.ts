const PRIME = 0x100000001b3n;
const MASK = (1n << 64n) - 1n;

/** FNV-1a, 64 bit, over UTF-16 code units: no secret, only a short name for a text. */
export function textHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) hash = ((hash ^ BigInt(text.charCodeAt(i))) * PRIME) & MASK;
  return hash.toString(16).padStart(16, "0");
}

function slug(text: string): string {
  const cleaned = text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return cleaned.slice(0, 24).replace(/^-+|-+$/g, "") || "x";
}

/**
 * Readable, and the same again tomorrow: it depends on the names of the two roles and the service, not on who of them was
 * seen by then or how their selector is written.
 * @param part "" or what tells this rule from others between the same roles about the same service
 */
export function ruleId(client: string, server: string, service: string, part: string): string {
  const hash = textHash(JSON.stringify([client, server, service, part])).slice(0, 8);
  const last = (name: string) => slug(name.slice(name.indexOf("/") + 1));
  return `${last(client)}-to-${last(server)}-${slug(service)}-${hash}`;
}
