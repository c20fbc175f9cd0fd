import { INVENTORY_MESSAGE_SCHEMA, inventoryChanges } from "../model/inventory-message.js";
import { kafkaCarrier } from "../stream/kafka/kafka-carrier.js";
import { readLatest } from "../stream/read-latest.js";
import { EXIT, Failure } from "./failure.js";
import { kafkaSettings } from "./kafka-option.js";
import { readInventory } from "./read-inventory.js";
import type { PublishOptions } from "./verbs/inventory.js";

export async function publishInventory(options: PublishOptions): Promise<void> {
  const settings = kafkaSettings("inventory", options);
  if (settings === undefined) throw new Failure("Cannot publish the inventory: wanted --kafka HOST:PORT", EXIT.input);
  const inventory = readInventory(options.inventory);
  const carrier = await kafkaCarrier(settings);
  try {
    const present = await readLatest(carrier, "portolan.inventory");
    const values = new Map([...present].map(([key, { value }]) => [key, value]));
    const changes = inventoryChanges(values, inventory);
    const headers = { schema: INVENTORY_MESSAGE_SCHEMA };
    await carrier.sendAll(
      "portolan.inventory",
      changes.map((change) => ({ ...change, headers })),
    );
    const removed = changes.filter(({ value }) => value.length === 0).length;
    const changed = changes.length - removed;
    const workloads = inventory.workloads.length;
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ workloads, changed, removed })}\n`
        : `inventory of ${workloads} workloads: ${changed} entries changed, ${removed} removed\n`,
    );
  } finally {
    await carrier.close();
  }
}
