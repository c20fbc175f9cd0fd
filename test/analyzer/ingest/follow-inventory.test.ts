import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import test from "node:test";
import { Analyzer } from "../../../analyzer/analyzer.js";
import { followInventory } from "../../../analyzer/ingest/follow-inventory.js";
import { parseInventory } from "../../../model/inventory-file.js";
import { inventoryMessages } from "../../../model/inventory-message.js";
import { inProcessCarrier } from "../../../stream/in-process.js";
import { batchOf, originOf } from "../batches.js";

const inventory = (name: string) =>
  parseInventory(`{ version: 1, workloads: [{ namespace: shop, name: ${name}, addresses: [10.0.0.2] }] }`);

test("an inventory that comes by the topic after its flows repairs them, as does its correction", async () => {
  const analyzer = await Analyzer.open({ path: ":memory:" });
  await analyzer.ingest(batchOf(originOf("a", 0), [{}]));
  await analyzer.flush();
  const carrier = inProcessCarrier();
  const news = new EventEmitter();
  const problems: string[] = [];
  const followed = await followInventory(carrier, (wanted) => analyzer.setInventory(wanted), {
    onProblem: (error) => {
      problems.push((error as Error).message);
      news.emit("problem");
    },
  });
  const serverOf = async () => (await analyzer.graph("workload", {})).edges.map(({ server }) => server);
  const send = async (name: string) => {
    for (const message of inventoryMessages(inventory(name))) {
      await carrier.send("portolan.inventory", { ...message, headers: {} });
    }
  };
  /** Entries that come with a pause between them are taken over by and by. */
  const untilServer = async (wanted: string) => {
    while ((await serverOf()).join() !== wanted) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await send("web");
  await untilServer("workload:shop/web");

  const contradicted = once(news, "problem");
  await send("api");
  await contradicted;
  assert.match(problems.join(), /wanted one owner of 10\.0\.0\.2 at a time/);
  assert.deepEqual(await serverOf(), ["workload:shop/web"], "the last good one stays");

  await carrier.send("portolan.inventory", { key: "shop/web", value: new Uint8Array(0), headers: {} });
  await untilServer("workload:shop/api");
  await followed.close();
  await carrier.close();
  await analyzer.close();
});
