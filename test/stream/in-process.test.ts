import assert from "node:assert/strict";
import test from "node:test";
import type { Message } from "../../stream/carrier.js";
import { inProcessCarrier } from "../../stream/in-process.js";

const message = (text: string): Message => ({ key: "k", value: new TextEncoder().encode(text), headers: {} });
const textOf = (value: Uint8Array) => new TextDecoder().decode(value);

test("a message sent before anybody subscribed reaches the first subscriber, in order", async () => {
  const carrier = inProcessCarrier();
  await carrier.send("portolan.flows", message("a"));
  await carrier.send("portolan.flows", message("b"));
  const seen: string[] = [];
  let done = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  await carrier.subscribe("portolan.flows", new Map(), async ({ value, offset }) => {
    seen.push(`${offset}:${textOf(value)}`);
    if (seen.length === 3) done();
  });
  await carrier.send("portolan.flows", message("c"));
  await all;
  assert.deepEqual(seen, ["0:a", "1:b", "2:c"]);
  await carrier.close();
});

test("a handler that throws is given the same message again", async () => {
  const carrier = inProcessCarrier();
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    void carrier.subscribe("portolan.flows", new Map(), async ({ value }) => {
      seen.push(textOf(value));
      if (seen.length === 1) throw new Error("the disk is full");
      if (seen.length === 3) resolve();
    });
    void carrier.send("portolan.flows", message("a"));
    void carrier.send("portolan.flows", message("b"));
  });
  assert.deepEqual(seen, ["a", "a", "b"]);
  await carrier.close();
});

test("send() waits while the carrier is full and goes on when the subscriber has caught up", async () => {
  const carrier = inProcessCarrier(2);
  await carrier.send("portolan.flows", message("1"));
  await carrier.send("portolan.flows", message("2"));
  let isSent = false;
  const third = carrier.send("portolan.flows", message("3")).then(() => {
    isSent = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSent, false);
  const seen: string[] = [];
  const subscription = await carrier.subscribe("portolan.flows", new Map(), async ({ value }) => {
    seen.push(textOf(value));
  });
  await third;
  while (seen.length < 3) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ["1", "2", "3"]);
  await subscription.close();
  await carrier.close();
});

test("close() of a subscription waits for the message in hand and takes no other", async () => {
  const carrier = inProcessCarrier();
  let release = () => {};
  let entered = () => {};
  const inHand = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const seen: string[] = [];
  const subscription = await carrier.subscribe("portolan.flows", new Map(), async ({ value }) => {
    entered();
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    seen.push(textOf(value));
  });
  await carrier.send("portolan.flows", message("a"));
  await carrier.send("portolan.flows", message("b"));
  await inHand;
  const closing = subscription.close();
  release();
  await closing;
  assert.deepEqual(seen, ["a"]);
  await carrier.close();
});
