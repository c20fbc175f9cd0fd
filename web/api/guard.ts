import { isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { HttpProblem } from "./problem.js";

/** Nothing runs, loads or frames this page but the page itself; no `unsafe-*`. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

/** The name in a Host header or an origin, without port and brackets; `undefined` when there is none. */
function hostName(authority: string): string | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+))(?::\d{1,5})?$/.exec(authority);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/**
 * Whether a Host header may reach us. A page elsewhere can point a name of its own at 127.0.0.1 (DNS rebinding), but it
 * cannot make the browser send another name, nor an address: so addresses, localhost and names we were told pass.
 */
export function isTrustedHost(header: string | undefined, allowedHosts: readonly string[]): boolean {
  const name = header === undefined ? undefined : hostName(header);
  if (name === undefined) return false;
  return isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost") || allowedHosts.includes(name);
}

/** Refuses strange hosts and requests that another site's page makes; sets the security headers on every answer. */
export function guard(app: FastifyInstance, allowedHosts: readonly string[]): void {
  const allowed = allowedHosts.map((name) => name.toLowerCase());
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    const { host, origin } = request.headers;
    if (!isTrustedHost(host, allowed)) {
      throw new HttpProblem(403, `Cannot serve host "${host ?? ""}": wanted an address, localhost or an allowed name`);
    }
    if (origin !== undefined && origin.replace(/^https?:\/\//, "") !== host) {
      throw new HttpProblem(403, `Cannot answer origin "${origin}": wanted the explorer's own`);
    }
    // A link from elsewhere may open a page, but no foreign page may read or embed the API.
    if (request.headers["sec-fetch-site"] === "cross-site" && request.url.startsWith("/api/")) {
      throw new HttpProblem(403, "Cannot answer another site's page: wanted the explorer's own");
    }
  });
}
