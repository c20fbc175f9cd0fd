import { createSocket } from "node:dgram";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Alert } from "./alert.js";
import { AlertError } from "./alert-error.js";
import type { AlertReceiver } from "./alert-receiver.js";
import { octetCounted, syslogLine } from "./syslog-line.js";

const TIMEOUT_MS = 10_000;
/** How long a receiver may take to close after we have; one that keeps the connection open has the message all the same. */
const LINGER_MS = 2_000;
/** How long a host may take to say that nobody listens there. */
const UDP_ANSWER_MS = 50;

export type SyslogTransport = "udp" | "tcp" | "tls";

export interface SyslogOptions {
  readonly transport: SyslogTransport;
  readonly host: string;
  readonly port: number;
  readonly ca?: string; // PEM, in place of those of the system
  readonly sender: { readonly host: string; readonly pid: number };
}

/** Sends each alert as a message of RFC 5424. */
export function syslogReceiver(options: SyslogOptions): AlertReceiver {
  const { transport, host, port, sender } = options;
  const place = `syslog ${transport}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const deliver = transport === "udp" ? sendDatagram : sendStream;
  return {
    name: "syslog",
    async deliver(alert: Alert) {
      try {
        await deliver(options, syslogLine(alert, sender));
      } catch (cause) {
        throw new AlertError("away", `${place} is not reached: ${(cause as Error).message}`, undefined, { cause });
      }
    },
  };
}

/** Nobody acknowledges a datagram. All that is ever heard is that no one listens at that port of a host that is up. */
function sendDatagram({ host, port }: SyslogOptions, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4");
    let isOver = false;
    const end = (error?: Error | null) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.removeAllListeners("error").on("error", () => {});
      socket.close();
      if (error) reject(error);
      else resolve();
    };
    let timer: NodeJS.Timeout | undefined;
    socket.once("error", end);
    socket.connect(port, host, () => {
      socket.send(line, (error) => {
        if (error) end(error);
        // A process that was held up finds the timer due before it has looked at its socket, where the answer may lie.
        else timer = setTimeout(() => setImmediate(end), UDP_ANSWER_MS);
      });
    });
  });
}

/**
 * Syslog has no acknowledgement, and bytes that the kernel took may still be lost with the connection. So each message has a
 * connection of its own, whose end we send: a receiver that closes in answer has read everything before it.
 */
function sendStream({ transport, host, port, ca }: SyslogOptions, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let isFlushed = false;
    const socket: Socket =
      transport === "tls"
        ? connectTls({
            host,
            port,
            ...(ca === undefined ? {} : { ca }),
            ...(isIP(host) === 0 ? { servername: host } : {}),
          })
        : connectPlain({ host, port });
    const end = (error?: Error) => {
      clearTimeout(timer);
      socket.removeAllListeners("error").on("error", () => {});
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    let timer = setTimeout(() => end(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    socket.once("error", end);
    socket.once("close", () => end(isFlushed ? undefined : new Error("it closed the connection")));
    socket.once(transport === "tls" ? "secureConnect" : "connect", () => {
      socket.resume(); // else its end is never seen
      socket.end(octetCounted(line), () => {
        isFlushed = true;
        clearTimeout(timer);
        timer = setTimeout(end, LINGER_MS);
      });
    });
  });
}
