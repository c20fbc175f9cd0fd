import { type Command, Option } from "commander";
import { wholeNumber } from "./whole-number.js";

/** Adds the options by which an order is made. */
export function withOrderOptions(command: Command): Command {
  return command
    .option("-p, --policy <file>", "policy.json, as reviewed")
    .option("-i, --inventory <file>", "workloads and their addresses, see docs/inventory.md")
    .option("-g, --generation <n>", "number of this generation (default: the policy's)", wholeNumber(1, 2 ** 48))
    .addOption(new Option("-m, --mode <mode>", "how far enforcers may go").choices(["audit", "deny"]).default("audit"))
    .option("--settings <file>", "lease, gates, probes and canaries, see docs/enforce.md (default: the careful ones)")
    .option("--valid-days <days>", "how long enforcers may take it", wholeNumber(1, 3660), 90);
}
