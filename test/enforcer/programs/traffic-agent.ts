// Speaks and listens inside a network namespace on behalf of a test: one JSON command a line on stdin, one answer a line on
// stdout. What it says it did is the independent truth that the kernel's counts are held against.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

type Command = { readonly id: number } & (
  | { readonly do: "listen"; readonly protocol: "tcp" | "udp"; readonly address: string; readonly port: number }
  | {
      readonly do: "connect";
      readonly address: string;
      readonly port: number;
      readonly timeoutMs: number;
      readonly hold: boolean;
      readonly from?: string; // own address
    }
  | { readonly do: "echo"; readonly handle: number; readonly timeoutMs: number }
  | { readonly do: "accepted" }
  /** Makes the other side push a byte by itself after a while, over a connection that this side left idle. */
  | { readonly do: "push"; readonly timeoutMs: number }
  | { readonly do: "ask"; readonly address: string; readonly port: number; readonly timeoutMs: number }
  | {
      readonly do: "send";
      readonly address: string;
      readonly port: number;
      readonly localPorts: number;
      readonly each: number;
    }
);

const held = new Map<number, Socket>();
const accepted = new Set<Socket>();
let next = 1;

/** A process that was held up finds the timer due before it has looked at its sockets: what lies there is heard first. */
async function until<T>(promise: Promise<T>, timeoutMs: number): Promise<T | "timeout"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"timeout">((resolve) => {
    timer = setTimeout(() => setImmediate(() => resolve("timeout")), timeoutMs);
  });
  const result = await Promise.race([promise, late]);
  clearTimeout(timer);
  return result;
}

const failed = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "?")));

async function run(command: Command): Promise<unknown> {
  switch (command.do) {
    case "listen": {
      if (command.protocol === "udp") {
        const socket = createSocket(command.address.includes(":") ? "udp6" : "udp4");
        socket.on("message", (bytes, { address, port }) => socket.send(bytes, port, address));
        socket.bind(command.port, command.address);
        await once(socket, "listening");
        return "ok";
      }
      const server = createServer((socket) => {
        accepted.add(socket);
        socket.on("error", () => accepted.delete(socket)).on("close", () => accepted.delete(socket));
        socket.pipe(socket);
      });
      server.listen(command.port, command.address);
      await once(server, "listening");
      return "ok";
    }
    case "connect": {
      const { address, port, from } = command;
      const socket = connect({ host: address, port, ...(from === undefined ? {} : { localAddress: from }) });
      const outcome = await until(
        Promise.race([once(socket, "connect").then(() => "ok"), failed(socket)]),
        command.timeoutMs,
      );
      socket.on("error", () => {});
      if (outcome !== "ok" || !command.hold) socket.destroy();
      if (outcome !== "ok" || !command.hold) return outcome;
      held.set(next, socket);
      return next++;
    }
    case "echo": {
      const socket = held.get(command.handle);
      if (socket === undefined || socket.destroyed) return "gone";
      const answer = Promise.race([once(socket, "data").then(() => "ok"), failed(socket)]);
      socket.write("x");
      return await until(answer, command.timeoutMs);
    }
    case "accepted":
      return accepted.size;
    case "push": {
      const sockets = [...accepted];
      for (const socket of sockets) socket.write("y");
      return sockets.length;
    }
    case "ask": {
      const socket = createSocket(command.address.includes(":") ? "udp6" : "udp4");
      const answer = once(socket, "message").then(() => "ok");
      const refused = new Promise<string>((resolve) =>
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "?")),
      );
      socket.send("x", command.port, command.address, (error) => {
        if (error !== null) socket.emit("error", error);
      });
      const outcome = await until(Promise.race([answer, refused]), command.timeoutMs);
      socket.close();
      return outcome;
    }
    case "send": {
      const socketOf = () => createSocket(command.address.includes(":") ? "udp6" : "udp4");
      let sent = 0;
      for (let i = 0; i < command.localPorts; i++) {
        const socket = socketOf();
        for (let n = 0; n < command.each; n++) {
          await new Promise<void>((resolve) =>
            socket.send("x", command.port, command.address, () => {
              sent++;
              resolve();
            }),
          );
        }
        socket.close();
      }
      return sent;
    }
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line) as Command;
    void run(command).then(
      (answer) => process.stdout.write(`${JSON.stringify({ id: command.id, answer })}\n`),
      (error: Error) => process.stdout.write(`${JSON.stringify({ id: command.id, error: error.message })}\n`),
    );
  })
  .on("close", () => process.exit(0));
process.stdout.write(`${JSON.stringify({ id: 0, answer: "ready" })}\n`);
