import { existsSync, readFileSync } from "node:fs";
import { HOSTS, type LabHost, workloadId } from "./company.js";
import { edgeKey, type IntendedEdge } from "./intent.js";
import type { LabServices } from "./services.js";

/** Collects what really worked: only a program that got its answer counts. */
export class Evidence {
  readonly #times = new Map<string, number>();

  note(edge: Omit<IntendedEdge, "note">, times = 1): void {
    const key = edgeKey(edge);
    this.#times.set(key, (this.#times.get(key) ?? 0) + times);
  }

  times(edge: Omit<IntendedEdge, "note">): number {
    return this.#times.get(edgeKey(edge)) ?? 0;
  }

  /** Reads what the servers wrote down: nginx its upstreams, dnsmasq its askers, the API tier and payments their calls. */
  readLogs(services: LabServices, swappedAtMs: number): void {
    for (const [client, server, protocol, port] of words(services.evidenceFile, "\t")) {
      if (client === undefined || server === undefined || protocol !== "tcp") continue;
      this.note({ client, server, protocol, port: Number(port) });
    }
    for (const web of ["web-1", "web-2"]) {
      for (const [upstream = "", status] of words(services.accessLog(web), " ")) {
        const api = HOSTS.find((host) => upstream === `${host.v4}:8080`);
        if (api !== undefined && status === "200") {
          this.note({ client: `shop/${web}`, server: workloadId(api), protocol: "tcp", port: 8080 });
        }
      }
    }
    this.#readDnsLog(services.dnsLog, swappedAtMs);
  }

  /** dnsmasq's lines look like `Nov 22 04:00:00 dnsmasq[7]: query[A] web.shop.lab from 10.20.4.21`. */
  #readDnsLog(file: string, swappedAtMs: number): void {
    for (const line of words(file, "\n").map(([text]) => text ?? "")) {
      const match = /^(\w{3} +\d+ \d\d:\d\d:\d\d) .* query\[A{1,4}\] \S+ from (\S+)$/.exec(line);
      if (match === null) continue;
      const atMs = Date.parse(`${match[1]} ${new Date().getFullYear()}`);
      const asker = HOSTS.find((host) => isHolder(host, match[2] ?? "", atMs < swappedAtMs));
      if (asker !== undefined) {
        this.note({ client: workloadId(asker), server: "ops/dns-1", protocol: "udp", port: 53 });
      }
    }
  }
}

function isHolder(host: LabHost, address: string, isFirstHalf: boolean): boolean {
  if (host.v4 !== address && host.v6 !== address) return false;
  return host.life === "whole" || (host.life === "first-half") === isFirstHalf;
}

function words(file: string, separator: string): readonly (readonly string[])[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => line.split(separator));
}
