import { hostname } from "node:os";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { AlertDesk, type AlertSource } from "../analyzer/alerts/alert-desk.js";
import { alertOcsf } from "../analyzer/alerts/alert-ocsf.js";
import type { AlertReceiver } from "../analyzer/alerts/alert-receiver.js";
import { type SyslogTransport, syslogReceiver } from "../analyzer/alerts/syslog-receiver.js";
import { webhookReceiver } from "../analyzer/alerts/webhook-receiver.js";
import type { AcceptedDenial } from "../analyzer/audit/accepted-denials.js";
import { EXIT, Failure } from "./failure.js";
import { readText } from "./read-text.js";
import { VERSION } from "./version.js";
import { wholeNumber } from "./whole-number.js";

/** Where a webhook's secret stands that no file was named for; an option would show it to every user of the host. */
export const ALERT_SECRET_VARIABLE = "PORTOLAN_ALERT_WEBHOOK_SECRET";

const HOUR_US = 3_600_000_000;

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

function secretOf({ alertWebhookSecretFile: file }: AlertOptions): string | undefined {
  const secret = file === undefined ? process.env[ALERT_SECRET_VARIABLE] : readText("webhook secret", file).trimEnd();
  if (secret === "")
    throw new Failure("Cannot sign alerts: the secret is empty; wanted at least one character", EXIT.input);
  return secret;
}

/**
 * The receivers that the options name.
 * @throws {Failure} Where options contradict each other or a file cannot be read.
 */
export function alertReceivers(options: AlertOptions): AlertReceiver[] {
  const { alertWebhook, alertSyslog, alertTlsCa, alertWebhookSecretFile } = options;
  if (alertWebhook === undefined && alertWebhookSecretFile !== undefined) {
    throw new Failure("Cannot sign alerts: there is a secret and no --alert-webhook URL; wanted both", EXIT.input);
  }
  const receivers: AlertReceiver[] = [];
  const ca = alertTlsCa === undefined ? {} : { ca: readText("certificate authority", alertTlsCa) };
  if (alertWebhook !== undefined) {
    const secret = secretOf(options);
    receivers.push(
      webhookReceiver({
        url: alertWebhook,
        ...ca,
        ...(secret === undefined ? {} : { secret }),
        nowMs: Date.now,
        body: (alert) => alertOcsf(alert, VERSION),
        software: `portolan/${VERSION}`,
      }),
    );
  }
  if (alertSyslog !== undefined) {
    receivers.push(syslogReceiver({ ...alertSyslog, ...ca, sender: { host: hostname(), pid: process.pid } }));
  }
  return receivers;
}

/** Begins to tell; undefined where nobody wants to be told. @throws {AlertError} If the spool cannot be used. */
export function startAlerts(
  receivers: readonly AlertReceiver[],
  options: AlertOptions & { readonly store: string },
  source: AlertSource,
  accepted: readonly AcceptedDenial[],
  say: (line: string) => void,
): AlertDesk | undefined {
  if (receivers.length === 0) return undefined;
  return AlertDesk.open({
    source,
    receivers,
    folder: options.alertSpool ?? `${options.store}.alerts`,
    perMinute: options.alertRate,
    quietUs: options.alertQuietHours * HOUR_US,
    accepted: () => accepted,
    nowMs: Date.now,
    say,
  });
}
