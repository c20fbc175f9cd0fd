import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { HostEnforcer } from "../host-enforcer.js";
import type { ControlAnswer } from "./control-answer.js";
import { type ControlRequest, controlRequestSchema, LONGEST_REQUEST } from "./control-protocol.js";

const IDLE_MS = 10_000;

async function answer(enforcer: HostEnforcer, request: ControlRequest): Promise<ControlAnswer> {
  switch (request.verb) {
    case "status":
      return { isDone: true, text: "", status: await enforcer.status() };
    case "pause":
      return enforcer.pause(request.scope);
    case "resume":
      return enforcer.resume(request.scope);
    case "rollback":
      return enforcer.rollback(request.scope, request.reason);
    case "promote":
      return enforcer.promote(request.scope);
    case "quarantine":
      return enforcer.quarantine({ lease: request.forMs ?? "permanent" });
    case "release":
      return enforcer.quarantine(undefined);
  }
}

async function serve(enforcer: HostEnforcer, line: string): Promise<ControlAnswer> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { isDone: false, text: "Cannot read request: wanted a line of JSON" };
  }
  const parsed = controlRequestSchema.safeParse(value);
  if (!parsed.success) return { isDone: false, text: `Cannot read request: ${parsed.error.issues[0]?.message}` };
  try {
    return await answer(enforcer, parsed.data);
  } catch (error) {
    return { isDone: false, text: (error as Error).message };
  }
}

function converse(enforcer: HostEnforcer, socket: Socket): void {
  let text = "";
  socket.setEncoding("utf8").setTimeout(IDLE_MS, () => socket.destroy());
  socket.on("error", () => {});
  socket.on("data", (more: string) => {
    text += more;
    const end = text.indexOf("\n");
    if (end < 0) {
      if (text.length > LONGEST_REQUEST) socket.destroy();
      return;
    }
    socket.removeAllListeners("data").setTimeout(0);
    void serve(enforcer, text.slice(0, end)).then((told) => socket.end(`${JSON.stringify(told, bigints)}\n`));
  });
}

const bigints = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

/**
 * Local control by whoever may open the socket: its owner alone, root. There is no other way in, and no port.
 * @throws {Error} If the socket cannot be made. A stale one is replaced; two enforcers exclude each other elsewhere.
 */
export async function serveControl(path: string, enforcer: HostEnforcer): Promise<Server> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const server = createServer((socket) => converse(enforcer, socket));
  // Nobody may open it between its making and the change of its mode.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  return server;
}
