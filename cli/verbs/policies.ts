import { Command } from "commander";
import { addKafkaOptions, type KafkaOptions } from "../kafka-option.js";

export interface PoliciesOptions extends KafkaOptions {
  readonly keyring?: string;
  readonly json?: true;
}

export function policiesCommand(): Command {
  const publishing = new Command("publish")
    .description("hand a signed policy to the enforcers that follow Kafka")
    .argument("<signed>", "file, as written by portolan sign")
    .option("-k, --keyring <file>", "keys that enforcers trust: what they would refuse is not published")
    .option("--json", "print what was published as JSON");
  addKafkaOptions(publishing)
    .addHelpText(
      "after",
      `
Example:
  portolan policies publish shop.signed --keyring keyring.json --kafka kafka-1:9092`,
    )
    .action(async (signed: string, options: PoliciesOptions) =>
      (await import("../policies.js")).publishPolicy(signed, options),
    );
  const listing = new Command("list")
    .description("the newest signed policy of each scope on portolan.policies")
    .option("-k, --keyring <file>", "keys to check the signatures with; unchecked without")
    .option("--json", "print them as JSON");
  addKafkaOptions(listing)
    .addHelpText(
      "after",
      `
Example:
  portolan policies list --keyring keyring.json --kafka kafka-1:9092`,
    )
    .action(async (options: PoliciesOptions) => (await import("../policies.js")).listPolicies(options));
  return new Command("policies")
    .description("hand signed policies to enforcers")
    .addCommand(publishing)
    .addCommand(listing);
}
