import { hostname } from "node:os";
import { type Command, Option } from "commander";
import { COMPRESSIONS, type Compression } from "../stream/kafka/compression-names.js";
import { type KafkaSettings, SASL_MECHANISMS, type SaslMechanism } from "../stream/kafka/kafka-settings.js";
import { EXIT, Failure } from "./failure.js";

/** Where a password stands that no file was named for; an option would show it to every user of the host. */
export const KAFKA_PASSWORD_VARIABLE = "PORTOLAN_KAFKA_PASSWORD";

/** What commander makes of the options below. */
export interface KafkaOptions {
  readonly kafka?: string;
  readonly kafkaPrefix?: string;
  readonly kafkaClientId?: string;
  readonly kafkaCompression: Compression;
  readonly kafkaReplication?: string;
  readonly kafkaTls?: boolean;
  readonly kafkaTlsCa?: string;
  readonly kafkaTlsCert?: string;
  readonly kafkaTlsKey?: string;
  readonly kafkaSasl?: SaslMechanism;
  readonly kafkaUser?: string;
  readonly kafkaPasswordFile?: string;
}

/** Gives a verb the options with which all verbs reach Kafka. */
export function addKafkaOptions(command: Command): Command {
  return command
    .option("--kafka <host:port,...>", "brokers of the Kafka cluster to begin with")
    .option("--kafka-prefix <text>", "set before the names of topics and groups")
    .option("--kafka-client-id <name>", "name in the brokers' logs (default: portolan-VERB-HOST)")
    .addOption(
      new Option("--kafka-compression <codec>", "of the messages sent").choices(COMPRESSIONS).default("lz4" as const),
    )
    .option("--kafka-replication <copies>", "of topics that are made (default: 3, or as many as there are brokers)")
    .option("--kafka-tls", "speak TLS; implied by the other TLS options")
    .option("--kafka-tls-ca <file>", "certificate authority of the brokers, PEM (default: those of the system)")
    .option("--kafka-tls-cert <file>", "certificate that says who we are, PEM")
    .option("--kafka-tls-key <file>", "its key, PEM")
    .addOption(new Option("--kafka-sasl <mechanism>", "log in with user and password").choices(SASL_MECHANISMS))
    .option("--kafka-user <name>", "user to log in as")
    .option("--kafka-password-file <file>", `holds the password (otherwise: variable ${KAFKA_PASSWORD_VARIABLE})`);
}

function refuse(what: string, wanted: string): never {
  throw new Failure(`Cannot reach Kafka: ${what}; wanted ${wanted}`, EXIT.input);
}

function brokersOf(text: string): string[] {
  return text.split(",").map((broker) => {
    const port = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):(\d{1,5})$/.exec(broker.trim())?.[1];
    if (port === undefined || Number(port) < 1 || Number(port) > 65_535) {
      refuse(`--kafka has "${broker}"`, "HOST:PORT[,HOST:PORT ...]");
    }
    return broker.trim();
  });
}

function tlsOf(options: KafkaOptions): Pick<KafkaSettings, "tls"> {
  const { kafkaTlsCa: caFile, kafkaTlsCert: certFile, kafkaTlsKey: keyFile } = options;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    refuse("a TLS certificate and its key go together", "both --kafka-tls-cert and --kafka-tls-key, or neither");
  }
  if (options.kafkaTls !== true && caFile === undefined && certFile === undefined) return {};
  return {
    tls: {
      ...(caFile === undefined ? {} : { caFile }),
      ...(certFile === undefined ? {} : { certFile }),
      ...(keyFile === undefined ? {} : { keyFile }),
    },
  };
}

function saslOf({ kafkaSasl, kafkaUser, kafkaPasswordFile }: KafkaOptions): Pick<KafkaSettings, "sasl"> {
  if (kafkaSasl === undefined) {
    if (kafkaUser === undefined && kafkaPasswordFile === undefined) return {};
    refuse("there is a user or password but no --kafka-sasl", `one of ${SASL_MECHANISMS.join(", ")}`);
  }
  if (kafkaUser === undefined) refuse(`--kafka-sasl ${kafkaSasl} has no user`, "--kafka-user NAME");
  const password =
    kafkaPasswordFile === undefined ? { environment: KAFKA_PASSWORD_VARIABLE } : { file: kafkaPasswordFile };
  return { sasl: { mechanism: kafkaSasl, username: kafkaUser, password } };
}

/**
 * The settings that the options make; undefined without `--kafka`. No file is read yet.
 * @throws {Failure} Where options contradict each other or cannot be.
 */
export function kafkaSettings(verb: string, options: KafkaOptions): KafkaSettings | undefined {
  if (options.kafka === undefined) return undefined;
  const { kafkaPrefix: prefix, kafkaReplication: copies } = options;
  if (prefix !== undefined && !/^[A-Za-z0-9._-]{1,100}$/.test(prefix)) {
    refuse(`--kafka-prefix is "${prefix}"`, "1 to 100 of A-Z a-z 0-9 . _ -");
  }
  if (copies !== undefined && !/^[1-9]\d{0,2}$/.test(copies)) {
    refuse(`--kafka-replication is "${copies}"`, "a whole number from 1");
  }
  return {
    brokers: brokersOf(options.kafka),
    clientId: options.kafkaClientId ?? `portolan-${verb}-${hostname()}`,
    compression: options.kafkaCompression,
    ...(prefix === undefined ? {} : { prefix }),
    ...(copies === undefined ? {} : { replication: Number(copies) }),
    ...tlsOf(options),
    ...saslOf(options),
  };
}
