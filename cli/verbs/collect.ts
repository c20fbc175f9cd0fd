import { Command, InvalidArgumentError } from "commander";
import { byteSize } from "../byte-size.js";
import { defaultInterface } from "../default-interface.js";
import { addKafkaOptions, type KafkaOptions } from "../kafka-option.js";
import { type MetricsOptions, withMetricsOptions } from "../metrics/metrics-options.js";

export interface CollectOptions extends KafkaOptions, MetricsOptions {
  readonly interface?: readonly string[];
  readonly read?: readonly string[];
  readonly speed?: number;
  readonly collector?: string;
  readonly spool: string;
  readonly spoolSize: number;
  readonly json?: true;
}

const LEAST_SPOOL = 256 << 10;

function speed(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1e6)) throw new InvalidArgumentError("wanted a number above 0 such as 1 or 10");
  return value;
}

export function collectCommand(): Command {
  const command = new Command("collect")
    .description("collect the flows of this host, or of captures, and send them to analyzers through Kafka")
    .option("-I, --interface <name...>", `interfaces to capture on (default: ${defaultInterface()})`)
    .option("--read <file...>", "read these captures instead, as one collector")
    .option("--speed <factor>", "read them at so many times the speed of their own clock, as live traffic", speed)
    .option("--collector <id>", "what this collector is called, the same at each start (default: the host name)")
    .option("--spool <dir>", "folder for what the broker has not taken yet", "portolan-spool")
    .option("--spool-size <bytes>", "room for it, such as 512M or 2G", byteSize(LEAST_SPOOL), 2 ** 30)
    .option("--json", "print the totals as JSON at the end");
  withMetricsOptions(addKafkaOptions(command)).addHelpText(
    "after",
    `
Capturing wants root or cap_net_raw. It begins also while the broker is away: flows wait in the spool, and when that is
full the oldest go and the gap is told. SIGTERM and Ctrl-C end the capture, send what is under way for some seconds, and
leave the rest to the next start.

Example:
  sudo portolan collect --interface eth0 --kafka broker.example:9092 --spool /var/lib/portolan/spool`,
  );
  return command.action(async (options: CollectOptions) => (await import("../collect.js")).collect(options));
}
