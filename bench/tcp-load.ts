// Serves or makes TCP load inside a network namespace. Run by the enforcer bench.
// Arguments: serve PORT | connect ADDRESS PORT SECONDS | stream ADDRESS PORT SECONDS
import { once } from "node:events";
import { connect, createServer } from "node:net";

const [mode, ...rest] = process.argv.slice(2) as [string, ...string[]];
const AT_ONCE = 8;
const CHUNK = Buffer.alloc(256 << 10);

if (mode === "serve") {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    // The first byte says what is wanted: an answer and the end, or to be read from for as long as there is something.
    socket.once("data", (bytes) => (bytes[0] === 1 ? socket.end("x") : socket.resume()));
  });
  server.listen(Number(rest[0]), "0.0.0.0", () => process.stdout.write("listening\n"));
} else {
  const [address, port, seconds] = rest as [string, string, string];
  const until = performance.now() + Number(seconds) * 1000;
  const began = performance.now();
  const before = process.cpuUsage();
  let done = 0;
  if (mode === "connect") {
    const one = async () => {
      while (performance.now() < until) {
        const socket = connect(Number(port), address);
        socket.on("error", () => {});
        socket.resume();
        socket.write(Buffer.of(1));
        await once(socket, "close");
        done++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  } else {
    const socket = connect(Number(port), address);
    await once(socket, "connect");
    while (performance.now() < until) {
      if (!socket.write(CHUNK)) await once(socket, "drain");
      done += CHUNK.length;
    }
    socket.destroy();
  }
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  process.stdout.write(JSON.stringify({ done, seconds: (performance.now() - began) / 1000, cpuSeconds }));
}
