import { Command, InvalidArgumentError } from "commander";
import { DEFAULT_SOCKET } from "../../enforcer/control/default-socket.js";
import type { Controller } from "../../enforcer/probe/prober.js";
import { tryParseAddress } from "../../model/address.js";
import { flagOnly } from "../config/settings.js";
import { addKafkaOptions, type KafkaOptions } from "../kafka-option.js";
import { parseListen } from "../listen.js";
import { type MetricsOptions, withMetricsOptions } from "../metrics/metrics-options.js";
import { wholeNumber } from "../whole-number.js";

export interface EnforceOptions extends KafkaOptions, MetricsOptions {
  readonly policy?: readonly string[];
  readonly inventory?: string;
  readonly keyring?: string;
  readonly host?: string;
  readonly scopes?: readonly string[];
  readonly controller?: readonly Controller[];
  readonly state: string;
  readonly socket: string;
  readonly pollSeconds: number;
  readonly boot?: true;
}

function controllerAt(text: string): Controller {
  const { host, port } = parseListen(text);
  if (tryParseAddress(host) === undefined || port === 0) {
    throw new InvalidArgumentError("wanted an address and a port, such as 192.0.2.1:7443 or [2001:db8::1]:7443");
  }
  return { address: host, port };
}

export function enforceCommand(): Command {
  const command = new Command("enforce")
    .description("hold this host's kernel at what signed policies say: count first, then deny")
    .option("-p, --policy <file...>", "signed policies, followed while they change")
    .option("-i, --inventory <file>", "workloads and their addresses, followed while it changes")
    .option(
      "-k, --keyring <file>",
      "keys that this host trusts, followed while it changes",
      "/etc/portolan/keyring.json",
    )
    .option("--host <id>", "the workload that this host is (default: the one with an address of this host)")
    .option("--scopes <name,...>", "policy sets that this host takes (default: all)", (text) => text.split(","))
    .option(
      "--controller <host:port...>",
      "asked by a fresh connection before deny is confirmed, beside those of the inventory",
      (text: string, before: readonly Controller[] = []) => [...before, controllerAt(text)],
    )
    .option("--state <dir>", "what is remembered over restarts; root's own", "/var/lib/portolan/enforcer")
    .option("--socket <path>", "local control, for root alone", DEFAULT_SOCKET)
    .option("--poll-seconds <n>", "how often the kernel's counts are read", wholeNumber(1, 3600), 30)
    .addOption(
      flagOnly(new Command().createOption("--boot", "load what was confirmed before the last shutdown, and end")),
    );
  return withMetricsOptions(addKafkaOptions(command))
    .addHelpText(
      "after",
      `
Wants CAP_NET_ADMIN and nothing else; opens no port unless --metrics-listen names one. Ending it leaves the kernel as it is: a lease that nobody renews runs out by
itself, and what is not denied any more is still counted. How policies come from audit to deny: docs/enforce.md.

Policies come from files, from portolan.policies (--kafka), or both; the inventory from a file, else from portolan.inventory.

Example:
  sudo portolan enforce --policy shop.signed --inventory inventory.yaml --keyring keyring.json --host shop/api`,
    )
    .action(async (options: EnforceOptions) => (await import("../enforce.js")).enforce(options));
}
