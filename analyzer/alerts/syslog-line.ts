import { formatProtocol, hasPorts } from "../../model/protocol.js";
import { visibleText } from "../../model/visible-text.js";
import type { Alert, EdgeAlert } from "./alert.js";

/*
 * RFC 5424, one message a line:
 *
 *   <PRI>1 TIMESTAMP HOSTNAME portolan PROCID MSGID [portolan@32473 NAME="VALUE" ...] BOM text
 *
 * 32473 is the enterprise number that RFC 5612 sets aside for those without one of their own.
 */
const SD_ID = "portolan@32473";
const BOM = "\uFEFF";

const LOG_AUDIT = 13; // facility
const SEVERITIES = { denied: 4, audited: 5, more: 4, gap: 3 } as const; // warning, notice, warning, error

/** A receiver has to take 480 bytes and should take 2048 (RFC 5424 6.1), so names are cut before they fill a message. */
const LONGEST_NAME = 120;

/** Control characters would end the line or steer a terminal; what has no glyph is shown as its code point. */
const plain = (text: string) => visibleText(text, LONGEST_NAME);

/** Inside the quotes of a value three characters have a meaning (RFC 5424 6.3.3). */
const escaped = (text: string) => plain(text).replace(/["\\\]]/g, "\\$&");

/** Header fields are printable US-ASCII without spaces, and "-" where there is nothing to say. */
const headerField = (text: string, most: number) => text.replace(/[^\x21-\x7e]/g, "_").slice(0, most) || "-";

export function serviceText(protocol: number, port: number): string {
  const name = formatProtocol(protocol);
  if (hasPorts(protocol)) return `${name}/${port}`;
  return protocol === 1 || protocol === 58 ? `${name}/${port >> 8}.${port & 255}` : name;
}

function endText({ name, address }: EdgeAlert["client"]): string {
  return name === address ? address : `${plain(name)} (${address})`;
}

/** What the alert says, in one sentence for people. */
export function alertText(alert: Alert): string {
  switch (alert.kind) {
    case "edge": {
      const { verdict, client, server, protocol, port, scope, attempts, beforeUs } = alert;
      const said = verdict === "denied" ? "denied" : "would be denied";
      const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
      const news = beforeUs === undefined ? "never counted before" : `last counted ${timeText(beforeUs)}`;
      return `${endText(client)} to ${endText(server)} ${serviceText(protocol, port)} ${said} by ${scope}: ${times}, ${news}`;
    }
    case "more":
      return `${alert.edges} more edges that no rule permits, ${alert.denied} of them denied, in ${plain(alert.scopes.join(", "))}: see the report`;
    case "gap":
      return `${alert.lost} alerts were lost while this receiver was away: see the report`;
  }
}

const timeText = (us: number) => new Date(us / 1000).toISOString();

function parameters(alert: Alert): Readonly<Record<string, string | number>> {
  switch (alert.kind) {
    case "edge": {
      const { uid, scope, generation, verdict, direction, client, server, host, attempts } = alert;
      return {
        ...{ uid, scope, generation, verdict, direction },
        ...{ client: client.name, clientAddress: client.address, server: server.name, serverAddress: server.address },
        ...{ service: serviceText(alert.protocol, alert.port), host, attempts },
      };
    }
    case "more": {
      const { uid, edges, denied, attempts, fromEntry, untilEntry } = alert;
      return { uid, edges, denied, attempts, fromEntry, untilEntry };
    }
    case "gap":
      return { uid: alert.uid, lost: alert.lost };
  }
}

const MESSAGE_IDS = { audited: "would-deny", denied: "denied", more: "more", gap: "gap" } as const;

/** One message without the framing of its transport; never with a line end in it. */
export function syslogLine(alert: Alert, sender: { readonly host: string; readonly pid: number }): string {
  const kind = alert.kind === "edge" ? alert.verdict : alert.kind;
  const fields = Object.entries(parameters(alert)).map(([name, value]) => ` ${name}="${escaped(String(value))}"`);
  const header = [
    `<${LOG_AUDIT * 8 + SEVERITIES[kind]}>1`,
    ...[timeText(alert.atUs), headerField(sender.host, 255), "portolan", String(sender.pid), MESSAGE_IDS[kind]],
  ];
  return `${header.join(" ")} [${SD_ID}${fields.join("")}] ${BOM}${alertText(alert)}`;
}

/** Octet counting (RFC 6587 3.4.1, RFC 5425 4.3): the length in bytes stands in front, so no character ends a message. */
export function octetCounted(line: string): string {
  return `${Buffer.byteLength(line)} ${line}`;
}
