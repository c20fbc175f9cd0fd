import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { createServer as createTls, type TlsOptions } from "node:tls";
import { freePorts } from "../../stream/kafka-broker.js";

export interface Post {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * A server of the tests on loopback that can be away, and come back at the same port: one that the kernel gives to nobody else
 * meanwhile, as it might to the very client that tries to reach it.
 */
export interface TestReceiver<T> {
  readonly port: number;
  readonly got: T[];
  close(): Promise<void>;
}

const freePort = async () => (await freePorts(1))[0] as number;

const closed = (server: { close(done: () => void): unknown }) => new Promise<void>((resolve) => server.close(resolve));

/** Takes what is posted to it; `status` is what it answers, `headers` what it says beside. */
export async function webhookServer(
  port?: number,
  answer: { status: number; headers?: Record<string, string> } = { status: 204 },
): Promise<TestReceiver<Post> & { answer: typeof answer }> {
  const got: Post[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const text of request.setEncoding("utf8")) body += text;
    if (made.answer.status < 300) got.push({ headers: request.headers, body });
    response.writeHead(made.answer.status, { connection: "close", ...made.answer.headers }).end();
  });
  server.listen(port ?? (await freePort()), "127.0.0.1");
  await once(server, "listening");
  const made = { port: (server.address() as AddressInfo).port, got, answer, close: () => closed(server) };
  return made;
}

/** Reads octet-counted messages, as RFC 6587 and RFC 5425 frame them. */
function unframed(bytes: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(" ", at);
    const length = Number(bytes.subarray(at, space));
    lines.push(bytes.subarray(space + 1, space + 1 + length).toString());
    at = space + 1 + length;
  }
  return lines;
}

export async function syslogServer(port?: number, tls?: TlsOptions): Promise<TestReceiver<string>> {
  const got: string[] = [];
  const take = (socket: AsyncIterable<Buffer> & { on(event: "error", listener: () => void): unknown }) => {
    socket.on("error", () => {});
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of socket) parts.push(part);
      got.push(...unframed(Buffer.concat(parts)));
    })().catch(() => {});
  };
  const server: Server = tls === undefined ? createTcp(take) : createTls(tls, take);
  server.listen(port ?? (await freePort()), "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, got, close: () => closed(server) };
}

export async function datagramServer(port?: number): Promise<TestReceiver<string>> {
  const got: string[] = [];
  const socket = createSocket("udp4").on("message", (message) => got.push(message.toString()));
  socket.bind(port ?? (await freePort()), "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port, got, close: () => closed(socket) };
}

/** Waits for what another part of the process is about to do; the runner's own limit ends what never comes. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}
