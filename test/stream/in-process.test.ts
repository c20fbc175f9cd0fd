import assert from "node:assert/strict";
import test from "node:test";
import type { Consumption, Message } from "../../stream/carrier.js";
import { inProcessCarrier } from "../../stream/in-process.js";
import { carrierContract } from "./carrier-contract.js";

const message = (text: string): Message => ({ key: "k", value: new TextEncoder().encode(text), headers: {} });
const reading = (handle: Consumption["handle"]): Consumption => ({ positions: async () => new Map(), handle });
const textOf = (value: Uint8Array) => new TextDecoder().decode(value);

carrierContract("in process", async () => inProcessCarrier(512));

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
  const subscription = await carrier.subscribe(
    "portolan.flows",
    reading(async ({ value }) => {
      seen.push(textOf(value));
    }),
  );
  await third;
  while (seen.length < 3) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ["1", "2", "3"]);
  await subscription.close();
  await carrier.close();
});

test("a position before what is still held is told as lost, and reading goes on behind the gap", async () => {
  const carrier = inProcessCarrier();
  const first = await carrier.subscribe(
    "portolan.flows",
    reading(async () => {}),
  );
  for (const text of ["a", "b", "c"]) await carrier.send("portolan.flows", message(text));
  await new Promise((resolve) => setImmediate(resolve));
  await first.close();
  await carrier.send("portolan.flows", message("d"));
  const losses: string[] = [];
  const seen: string[] = [];
  const second = await carrier.subscribe("portolan.flows", {
    positions: async () => new Map([[0, 1n]]),
    async handle({ value }) {
      seen.push(textOf(value));
    },
    async onLost({ from, until }) {
      losses.push(`${from}..${until}`);
    },
  });
  while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual({ losses, seen }, { losses: ["1..3"], seen: ["d"] });
  await second.close();
  await carrier.close();
});

test("of a group one member reads, and when it closes the next one goes on where it was", async () => {
  const carrier = inProcessCarrier();
  const seen: string[] = [];
  const member = (name: string): Consumption => ({
    ...reading(async ({ value }) => {
      seen.push(`${name}:${textOf(value)}`);
    }),
    group: "analyzers",
  });
  const a = await carrier.subscribe("portolan.flows", member("a"));
  const b = await carrier.subscribe("portolan.flows", member("b"));
  await carrier.send("portolan.flows", message("1"));
  while (seen.length < 1) await new Promise((resolve) => setImmediate(resolve));
  await a.close();
  await carrier.send("portolan.flows", message("2"));
  while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ["a:1", "b:2"]);
  await b.close();
  await carrier.close();
});
