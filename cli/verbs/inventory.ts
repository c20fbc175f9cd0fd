import { Command } from "commander";
import { addKafkaOptions, type KafkaOptions } from "../kafka-option.js";

export interface PublishOptions extends KafkaOptions {
  readonly inventory: string;
  readonly json?: true;
}

export function inventoryCommand(): Command {
  const command = new Command("publish")
    .description("make portolan.inventory say what an inventory file says; only what differs is sent")
    .requiredOption("-i, --inventory <file>", "workloads and their addresses, see docs/inventory.md")
    .option("--json", "print what was sent as JSON");
  addKafkaOptions(command)
    .addHelpText(
      "after",
      `
Example:
  portolan inventory publish --inventory inventory.yaml --kafka kafka-1:9092`,
    )
    .action(async (options: PublishOptions) => (await import("../inventory.js")).publishInventory(options));
  return new Command("inventory").description("give the inventory to analyzers and enforcers").addCommand(command);
}
