// Sends UDP datagrams as fast as one process can, up to a rate, and prints how many it sent. Run by the live bench.
// Arguments: address, port, datagrams a second, seconds
import { createSocket } from "node:dgram";
import { setTimeout as wait } from "node:timers/promises";

const [address, port, rate, seconds] = process.argv.slice(2) as [string, string, string, string];
const BURST = 32;
const socket = createSocket("udp4");
const payload = Buffer.alloc(440);
const send = () => new Promise<void>((resolve) => socket.send(payload, Number(port), address, () => resolve()));

const total = Number(rate) * Number(seconds);
const startedMs = performance.now();
let sent = 0;
while (sent < total && performance.now() - startedMs < Number(seconds) * 1000) {
  const due = Math.min(total, ((performance.now() - startedMs) / 1000) * Number(rate));
  if (sent >= due) {
    await wait(1);
    continue;
  }
  const burst = Math.min(BURST, Math.ceil(due - sent));
  await Promise.all(Array.from({ length: burst }, send));
  sent += burst;
}
socket.close();
process.stdout.write(`${JSON.stringify({ sent, seconds: (performance.now() - startedMs) / 1000 })}\n`);
