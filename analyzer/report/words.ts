import { formatSelector } from "../../model/label-selector.js";
import { formatPortRange } from "../../model/port-range.js";
import { formatProtocol } from "../../model/protocol.js";
import { formatTimeUs } from "../../model/time-window.js";
import type { Peer, WorkloadSelector } from "../../policy/peer.js";
import type { Service } from "../../policy/service.js";

/** How the report says things. */

export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/** 12345 as `12 345`, with thin spaces; beyond a million in powers of ten. */
export function formatCount(count: number): string {
  if (count >= 1e9) return count.toExponential(1).replace("e+", " x 10^");
  return String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

export function formatPercent(share: number): string {
  const percent = 100 * share;
  return `${percent === 0 || percent >= 10 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** `2026-01-31 08:00:12`, in UTC. */
export function formatMoment(timeUs: number): string {
  return formatTimeUs(timeUs).slice(0, 19).replace("T", " ");
}

/** The two largest units: `2 d 4 h`, `4 min 10 s`. */
export function formatDuration(us: number): string {
  const seconds = Math.max(0, Math.round(us / 1e6));
  const parts = (
    [
      ["d", Math.floor(seconds / 86400)],
      ["h", Math.floor(seconds / 3600) % 24],
      ["min", Math.floor(seconds / 60) % 60],
      ["s", seconds % 60],
    ] as const
  ).filter(([, value]) => value > 0);
  return parts.length === 0
    ? "0 s"
    : parts
        .slice(0, 2)
        .map(([unit, value]) => `${value} ${unit}`)
        .join(" ");
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function formatWorkloads({ namespaces, labels, serviceAccounts }: WorkloadSelector): string {
  const places = formatSelector(namespaces).replace("kubernetes.io/metadata.name=", "");
  const place = places === "*" ? "every namespace" : places.replace("kubernetes.io/metadata.name ", "");
  const accounts = serviceAccounts.length === 0 ? "" : `, account ${serviceAccounts.join(" or ")}`;
  return `${place}: ${formatSelector(labels) === "*" ? "every workload" : formatSelector(labels)}${accounts}`;
}

export function formatPeer(peer: Peer): string {
  switch (peer.kind) {
    case "workloads":
      return formatWorkloads(peer.selector);
    case "cidr":
      return peer.except.length === 0 ? peer.cidr : `${peer.cidr} except ${peer.except.join(", ")}`;
    case "group":
      return `group ${peer.name}`;
    case "fqdn":
      return peer.pattern;
    case "any":
      return "anybody";
  }
}

export function formatService(service: Service): string {
  switch (service.kind) {
    case "ports":
      return `${service.protocol}/${formatPortRange(service.ports)}`;
    case "icmp":
      return `${service.protocol}${service.type === undefined ? "" : ` type ${service.type}`}`;
    case "protocol":
      return `protocol ${formatProtocol(service.protocol)}`;
    case "any":
      return "everything";
  }
}
