import { tryParseAddress } from "../../model/address.js";
import { HOUR_US } from "../../model/time-window.js";
import type { Admitted } from "./admission.js";
import { activeUnits, type EvidenceContext, evidenceOf } from "./evidence.js";
import type { MinedRule } from "./rules.js";

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const roleTitle = (name: string) => name.replace(/^outside\//, "");

/** One sentence: who was seen using what, how often, and by what name. */
export function describeRule(mined: MinedRule, admitted: readonly Admitted[], context: EvidenceContext): string {
  const { flows, names: all } = evidenceOf(admitted, { ...context, samples: () => [] });
  const names = all.filter((name) => tryParseAddress(name) === undefined); // an address as name tells nothing new
  const windows = new Set(admitted.flatMap(({ history }) => activeUnits(history))).size;
  const unit = context.units.widthUs === HOUR_US ? "hour" : "minute";
  const clients = new Set(admitted.map(({ history }) => history.client.key)).size;
  const servers = new Set(admitted.map(({ history }) => history.server.key)).size;
  const via = [...new Set(admitted.flatMap(({ history }) => history.via ?? []))].sort();
  const called =
    names.length > 0 ? `, called ${names.slice(0, 2).join(" and ")}${names.length > 2 ? " and more" : ""}` : "";
  const shared = via.length > 0 ? `, through ${via.join(" and ")}` : "";
  return (
    `${roleTitle(mined.clientRole.name)} uses ${mined.service.key} of ${roleTitle(mined.serverRole.name)}${called}${shared}: ` +
    `${plural(flows, "accepted flow")} from ${plural(clients, "client")} to ${plural(servers, "server")} in ${plural(windows, unit)}.`
  );
}
