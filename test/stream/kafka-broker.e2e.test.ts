import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import test from "node:test";
import { startBroker } from "./kafka-broker.js";

/** Asks which requests the broker knows, and tells whether it answers within the time. */
function answers(address: string, withinMs: number): Promise<boolean> {
  const [host, port] = address.split(":") as [string, string];
  // Size, then the header: api key 18 (ApiVersions) version 0, correlation id 1, no client id.
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
  return new Promise((resolve) => {
    const socket = connect(Number(port), host, () => socket.write(request));
    const end = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
    socket.setTimeout(withinMs, () => end(false));
  });
}

test("the test broker serves, stands still, dies, comes back on the same port, and leaves nothing behind", async () => {
  const broker = await startBroker();
  try {
    assert.equal(await answers(broker.bootstrap, 60_000), true);
    broker.pause();
    while (await answers(broker.bootstrap, 1_000)); // on a busy machine its threads stop one after the other
    broker.resume();
    assert.equal(await answers(broker.bootstrap, 60_000), true);
    await broker.kill("SIGKILL");
    assert.equal(await answers(broker.bootstrap, 300), false);
    await broker.restart();
    assert.equal(await answers(broker.bootstrap, 60_000), true);
  } finally {
    await broker.stop();
  }
  assert.equal(existsSync(broker.folder), false);
});
