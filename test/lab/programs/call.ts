import type { ClientCall } from "../exercise.js";
import { run } from "../shell.js";
import { noteSuccess } from "./evidence.js";

/** Runs a client program; when it succeeds, the edge it proves is noted. Answers whether it did. */
export async function call(client: ClientCall, server: string, port: number): Promise<boolean> {
  const { status, stderr } = await run(client.program, client.args, { timeoutMs: 30_000 });
  if (status === 0) noteSuccess(server, "tcp", port);
  else process.stderr.write(`${server}:${port}: ${stderr.trim().split("\n")[0]}\n`);
  return status === 0;
}
