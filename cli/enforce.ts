import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { SYSTEM_CLOCK } from "../enforcer/clock.js";
import { serveControl } from "../enforcer/control/control-server.js";
import type { EnforcerKernel } from "../enforcer/enforcer-kernel.js";
import { readMemory } from "../enforcer/enforcer-memory.js";
import { HostEnforcer } from "../enforcer/host-enforcer.js";
import { openKernel } from "../enforcer/nft-kernel.js";
import { isForwardingHost } from "../enforcer/preflight.js";
import { socketProber } from "../enforcer/probe/socket-prober.js";
import { restoreConfirmed } from "../enforcer/restore-confirmed.js";
import { StateFolder } from "../enforcer/state-folder.js";
import { wantedTable } from "../enforcer/wanted-table.js";
import { formatAddress, tryParseAddress } from "../model/address.js";
import type { Inventory } from "../model/workload.js";
import type { PolicySet } from "../policy/policy-set.js";
import { currentAddresses } from "../policy/selection.js";
import type { Carrier } from "../stream/carrier.js";
import type { KafkaSettings } from "../stream/kafka/kafka-settings.js";
import { tieToCarrier } from "./enforce-carrier.js";
import { EXIT, Failure, failureLines } from "./failure.js";
import { followFile } from "./follow-file.js";
import { kafkaSettings } from "./kafka-option.js";
import { readInventory } from "./read-inventory.js";
import { stopSignal } from "./stop-signal.js";
import { readKeyring, readSigned } from "./trust-files.js";
import type { EnforceOptions } from "./verbs/enforce.js";

const TICK_MS = 1000;
const LINGER_MS = 3000;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** The workload that has an address of this machine. @throws {Failure} If none or several have. */
function hostOf(inventory: Inventory | undefined): string {
  const here = new Set(
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal }) => !internal)
      .flatMap(({ address }) => tryParseAddress(address) ?? [])
      .map(formatAddress),
  );
  const found = (inventory?.workloads ?? []).filter(
    (workload) => workload.host === undefined && currentAddresses(workload).some((address) => here.has(address)),
  );
  if (found.length === 1) return found[0]!.id;
  const what = found.length === 0 ? "no workload of the inventory has" : `${found.map(({ id }) => id).join(", ")} have`;
  throw new Failure(`Cannot tell which workload this host is: ${what} an address of it; wanted --host ID`, EXIT.input);
}

async function machineBoot(): Promise<string> {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

async function restoreAtBoot(options: EnforceOptions, folder: StateFolder, host: string): Promise<void> {
  const isForwarding = await isForwardingHost();
  const kernel = await openKernel({ host });
  try {
    const { loaded, denying } = await restoreConfirmed(folder, kernel, (policySets, inventory) =>
      wantedTable({ host, policySets, inventory, isForwarding }),
    );
    say(loaded.length === 0 ? `nothing was confirmed in "${options.state}"` : `restored ${loaded.join(", ")}`);
    if (denying.length > 0) say(`denying from the first packet: ${denying.join(", ")}`);
  } finally {
    await kernel.close();
  }
}

function parseStored(folder: StateFolder, inventory: string | undefined): Inventory | undefined {
  if (inventory !== undefined) return readInventory(inventory);
  return folder.read("inventory.yaml") === undefined ? undefined : readInventory(`${folder.path}/inventory.yaml`);
}

/** The broker's client is loaded by hosts that have a broker. */
async function openCarrier(settings: KafkaSettings): Promise<Carrier> {
  const { kafkaCarrier } = await import("../stream/kafka/kafka-carrier.js");
  return kafkaCarrier(settings);
}

/** Metrics and health are shown where somebody asked for them; else their library is not loaded at all. */
async function show(enforcer: HostEnforcer, options: EnforceOptions): Promise<{ close(): Promise<void> }> {
  if (options.metricsListen === undefined && options.metricsFile === undefined) return { close: async () => {} };
  const { enforcerConditions, enforcerMetrics } = await import("./metrics/enforcer-metrics.js");
  const { probesOf, showProbes } = await import("./metrics/show-probes.js");
  const figures = () => enforcer.figures();
  const probes = probesOf("enforce", () => enforcerConditions(figures()), enforcerMetrics(figures));
  return await showProbes(probes, options, (error) => failureLines(error).forEach((line) => say(line)));
}

/** Ticks and hands reports on until the promise resolves; a tick that fails is told, and the next one comes. */
async function tickUntil(enforcer: HostEnforcer, ended: Promise<unknown>): Promise<void> {
  let isEnded = false;
  void ended.then(() => {
    isEnded = true;
  });
  while (!isEnded) {
    const started = SYSTEM_CLOCK.monotonicMs();
    await enforcer.tick().catch((error: unknown) => {
      for (const line of failureLines(error)) say(line);
    });
    const rest = Math.max(50, TICK_MS - (SYSTEM_CLOCK.monotonicMs() - started));
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, rest))]);
  }
}

export async function enforce(options: EnforceOptions): Promise<void> {
  const folder = new StateFolder(options.state);
  const inventory = parseStored(folder, options.inventory);
  const host = options.host ?? hostOf(inventory);
  if (options.boot) return await restoreAtBoot(options, folder, host);
  const keyringPath = options.keyring as string;
  const keyring = await readKeyring(keyringPath);
  const settings = kafkaSettings("enforce", options);
  const stopped = stopSignal();
  // Whoever reads our log may go away; we stay.
  process.stderr.on("error", () => {});
  const baseline = readMemory(folder).baseline;
  const kernel: EnforcerKernel = await openKernel({ host, ...(baseline === "" ? {} : { baseline }) });
  const isForwarding = await isForwardingHost();
  const enforcer = await HostEnforcer.start({
    host,
    enforcer: `${hostname()}/${host}`,
    boot: randomUUID(),
    machineBoot: await machineBoot(),
    kernel,
    render: (policySets: readonly PolicySet[], known) =>
      wantedTable({ host, policySets, inventory: known, isForwarding }),
    keyring,
    ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
    prober: socketProber,
    controllers: options.controller ?? [],
    clock: SYSTEM_CLOCK,
    folder,
    pollEveryMs: options.pollSeconds * 1000,
    onIncident: ({ atMs, scope, code, text }) =>
      say(`${new Date(atMs).toISOString()} ${scope === "" ? "host" : scope}: ${code}: ${text}`),
  });
  const control = await serveControl(options.socket, enforcer);
  const unfollow = [followFile(keyringPath, say, async (path) => enforcer.setKeyring(await readKeyring(path)))];
  if (options.inventory !== undefined) {
    const take = async (path: string) => say((await enforcer.setInventory(readInventory(path), "local")).text);
    await take(options.inventory);
    unfollow.push(followFile(options.inventory, say, take));
  }
  for (const path of options.policy ?? []) {
    const take = async (file: string) => say((await enforcer.offer(readSigned(file))).text);
    await take(path);
    unfollow.push(followFile(path, say, take));
  }
  const shown = await show(enforcer, options);
  say(`enforcing on ${host}; local control at ${options.socket}`);
  const tie = new AbortController();
  const tied =
    settings === undefined
      ? Promise.resolve()
      : tieToCarrier(() => openCarrier(settings), enforcer, options.inventory === undefined, say, tie.signal);
  try {
    await tickUntil(enforcer, stopped);
  } finally {
    for (const stop of unfollow) stop();
    control.close();
    await shown.close();
    await enforcer.stop();
    tie.abort();
    await tied;
    await kernel.close();
    // What may be left is a client that goes on looking for a broker that is gone.
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}
