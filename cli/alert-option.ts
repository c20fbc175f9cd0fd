import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { SyslogTransport } from "../analyzer/alerts/syslog-receiver.js";
import { wholeNumber } from "./whole-number.js";

/** Where a webhook's secret stands that no file was named for; an option would show it to every user of the host. */
export const ALERT_SECRET_VARIABLE = "PORTOLAN_ALERT_WEBHOOK_SECRET";

interface SyslogPlace {
  readonly transport: SyslogTransport;
  readonly host: string;
  readonly port: number;
}

export interface AlertOptions {
  readonly alertWebhook?: URL;
  readonly alertWebhookSecretFile?: string;
  readonly alertSyslog?: SyslogPlace;
  readonly alertTlsCa?: string;
  readonly alertSpool?: string;
  readonly alertRate: number;
  readonly alertQuietHours: number;
}

function parseWebhook(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new InvalidArgumentError("wanted http:// or https:// and an address without user and password");
  }
  return url;
}

function parseSyslog(text: string): SyslogPlace {
  const [, transport, bracketed, plain, port] =
    /^(udp|tcp|tls):\/\/(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new InvalidArgumentError("wanted udp://, tcp:// or tls:// and HOST:PORT, such as tls://siem:6514");
  }
  return { transport: transport as SyslogTransport, host, port: Number(port) };
}

/** Gives a verb the options with which it tells of new edges that no rule permits. */
export function addAlertOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--alert-webhook <url>",
        "post each new edge that no rule permits there, see docs/alerts.md",
      ).argParser(parseWebhook),
    )
    .option(
      "--alert-webhook-secret-file <file>",
      `holds the secret that signs what is posted (otherwise: variable ${ALERT_SECRET_VARIABLE}, else unsigned)`,
    )
    .addOption(
      new Option("--alert-syslog <url>", "send it there as syslog: udp://, tcp:// or tls://HOST:PORT").argParser(
        parseSyslog,
      ),
    )
    .option("--alert-tls-ca <file>", "certificate authority of the receivers, PEM (default: those of the system)")
    .option(
      "--alert-spool <dir>",
      "where alerts wait for receivers that are away (default: the store's name with .alerts)",
    )
    .addOption(
      new Option("--alert-rate <n>", "alerts a minute, at most; further edges are counted in a summary")
        .argParser(wholeNumber(1, 10_000))
        .default(30),
    )
    .addOption(
      new Option("--alert-quiet-hours <n>", "an edge that was not counted for so long is news again")
        .argParser(wholeNumber(1, 87_600))
        .default(24),
    );
}
