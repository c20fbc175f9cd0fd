import { hostname } from "node:os";
import { AlertDesk, type AlertSource } from "../analyzer/alerts/alert-desk.js";
import { alertOcsf } from "../analyzer/alerts/alert-ocsf.js";
import type { AlertReceiver } from "../analyzer/alerts/alert-receiver.js";
import { syslogReceiver } from "../analyzer/alerts/syslog-receiver.js";
import { webhookReceiver } from "../analyzer/alerts/webhook-receiver.js";
import type { AcceptedDenial } from "../analyzer/audit/accepted-denials.js";
import { ALERT_SECRET_VARIABLE, type AlertOptions } from "./alert-option.js";
import { EXIT, Failure } from "./failure.js";
import { readText } from "./read-text.js";
import { VERSION } from "./version.js";

const HOUR_US = 3_600_000_000;

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
  source: AlertSource & { acceptedDenials(): readonly AcceptedDenial[] },
  say: (line: string) => void,
): AlertDesk | undefined {
  if (receivers.length === 0) return undefined;
  return AlertDesk.open({
    source,
    receivers,
    folder: options.alertSpool ?? `${options.store}.alerts`,
    perMinute: options.alertRate,
    quietUs: options.alertQuietHours * HOUR_US,
    accepted: () => source.acceptedDenials(),
    nowMs: Date.now,
    say,
  });
}
