import { createHmac } from "node:crypto";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { Alert } from "./alert.js";
import { AlertError } from "./alert-error.js";
import type { AlertReceiver } from "./alert-receiver.js";

const TIMEOUT_MS = 10_000;
/** A receiver that asks us to stay away for longer is asked again after this. */
const LONGEST_ABSENCE_MS = 3_600_000;
/** Answers that mean: this body, never. Every other failure may be put right by somebody, so it is tried again. */
const FOR_GOOD = new Set([400, 413, 415, 422]);

export interface WebhookOptions {
  readonly url: URL; // http or https
  readonly secret?: string; // signs each body
  readonly ca?: string; // PEM, beside those of the system
  readonly nowMs: () => number;
  readonly body: (alert: Alert) => string; // JSON
  readonly software: string; // for the header user-agent
}

/** `v1=` and the HMAC-SHA256 over the time in seconds, a dot and the body, in hexadecimal. */
export function webhookSignature(secret: string, seconds: number, body: string): string {
  return `v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}

/** Sends each alert as the body of a POST. Only a status of 2xx says that it has arrived; redirections are not followed. */
export function webhookReceiver(options: WebhookOptions): AlertReceiver {
  const { url, secret, ca, software } = options;
  const request = url.protocol === "https:" ? requestTls : requestPlain;
  // Addresses of webhooks often hold a secret in their path.
  const place = `${url.protocol}//${url.host}`;
  return {
    name: "webhook",
    deliver: (alert) =>
      new Promise((resolve, reject) => {
        const body = options.body(alert);
        const seconds = Math.floor(options.nowMs() / 1000);
        const away = (why: string, notBeforeMs?: number) =>
          reject(new AlertError("away", `webhook ${place} ${why}`, notBeforeMs));
        const posted = request(
          url,
          {
            method: "POST",
            timeout: TIMEOUT_MS,
            ...(ca === undefined ? {} : { ca }),
            headers: {
              "content-type": "application/json",
              "content-length": Buffer.byteLength(body),
              "user-agent": software,
              "x-portolan-delivery": alert.uid,
              "x-portolan-timestamp": String(seconds),
              ...(secret === undefined ? {} : { "x-portolan-signature": webhookSignature(secret, seconds, body) }),
            },
          },
          (reply) => {
            const status = reply.statusCode ?? 0;
            reply.resume(); // what else it says is not ours to read
            reply.on("error", () => {});
            if (status >= 200 && status < 300) resolve();
            else if (FOR_GOOD.has(status)) reject(new AlertError("refused", `webhook ${place} answered ${status}`));
            else away(`answered ${status}`, retryAfterMs(reply.headers["retry-after"], options.nowMs()));
          },
        );
        // If this process was held up, the answer may lie in the socket: it is heard first, and the alert not sent twice.
        const late = () => posted.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`));
        posted.on("timeout", () => setImmediate(late));
        posted.on("error", (error) => away(`is not reached: ${error.message}`));
        posted.end(body);
      }),
  };
}

/** The header Retry-After: seconds, or a date. */
function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_ABSENCE_MS);
}
