import { after } from "node:test";
import { kafkaCarrier } from "../../../stream/kafka/kafka-carrier.js";
import { carrierContract } from "../carrier-contract.js";
import { startBroker } from "../kafka-broker.js";

const broker = await startBroker();
after(() => broker.stop());

let count = 0;
carrierContract("Kafka", () =>
  kafkaCarrier({
    brokers: [broker.bootstrap],
    clientId: "test",
    prefix: `t${count++}.`,
    say: (level, line) => {
      if (level !== "info") process.stderr.write(`${level} ${line}\n`);
    },
  }),
);
