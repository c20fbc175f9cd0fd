import type { AddressRange } from "../../../model/cidr.js";
import type { AllowRule } from "../../allow-rule.js";
import type { Peer } from "../../peer.js";
import type { Selection } from "../../selection.js";
import type { Service } from "../../service.js";
import { addressText, numbersText } from "./nft-text.js";

function anonymous(items: readonly string[]): string {
  return items.length === 1 ? (items[0] as string) : `{ ${items.join(", ")} }`;
}

function addressMatch(field: "saddr" | "daddr", peer: Peer, family: 4 | 6, selection: Selection): string | undefined {
  if (peer.kind === "any") return "";
  const ranges = (selection.rangesOf(peer) ?? []).filter((range: AddressRange) => range.family === family);
  if (ranges.length === 0) return undefined;
  return `${family === 4 ? "ip" : "ip6"} ${field} ${anonymous(ranges.map(addressText))} `;
}

/** Matches for all services of one rule; those that differ in nothing but a number share one. */
function serviceMatches(services: readonly Service[]): string[] {
  const matches = new Map<string, string[]>();
  const add = (left: string, right: string) => matches.set(left, [...(matches.get(left) ?? []), right]);
  for (const service of services) {
    switch (service.kind) {
      case "ports":
        add(`${service.protocol} dport`, numbersText(service.ports.first, service.ports.last));
        break;
      case "icmp":
        add(`${service.protocol} type`, String(service.type ?? "0-255"));
        break;
      case "protocol":
        add("meta l4proto", String(service.protocol));
        break;
      case "any":
        add("meta l4proto", "0-255");
        break;
    }
  }
  return [...matches].map(([left, right]) => `${left} ${anonymous(right)}`);
}

/** The rules of the lifeline chain, for input, output and forward alike. */
export function lifelineTexts(lifelines: readonly AllowRule[], selection: Selection): string[] {
  const texts: string[] = [];
  for (const rule of lifelines) {
    const isAnybody = rule.client.kind === "any" && rule.server.kind === "any";
    const addresses = (isAnybody ? [4] : [4, 6]).flatMap((family) => {
      const client = addressMatch("saddr", rule.client, family as 4 | 6, selection);
      const server = addressMatch("daddr", rule.server, family as 4 | 6, selection);
      return client === undefined || server === undefined ? [] : [`${client}${server}`];
    });
    for (const match of serviceMatches(rule.services)) {
      for (const address of addresses) texts.push(`${address}${match} accept comment "${rule.id}"`);
    }
  }
  return texts;
}
