// Prints every message of portolan.verdicts as it comes, a line each, until stdin ends. Runs inside the namespace in which the
// broker stands.
import { kafkaCarrier } from "../../../stream/kafka/kafka-carrier.js";

process.stdin.on("end", () => process.exit()).resume();
const carrier = await kafkaCarrier({ brokers: [process.argv[2] as string], clientId: "read-verdicts" });
await carrier.subscribe("portolan.verdicts", {
  positions: async () => new Map(),
  handle: async ({ value }) => void process.stdout.write(`${Buffer.from(value).toString("utf8")}\n`),
});
