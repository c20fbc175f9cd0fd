import { setTimeout as wait } from "node:timers/promises";
import { STAGE_SUFFIX } from "../enforcer/follow-carrier.js";
import { parseVerdictReport } from "../model/verdict-report.js";
import { addSignature, renderEnvelope, sealDocument } from "../policy/trust/envelope.js";
import { type HostWord, hostsAdded, hostsOf, rolloutObstacles } from "../policy/trust/rollout.js";
import type { SigningKey } from "../policy/trust/signing-key.js";
import { STAGES, type Stage } from "../policy/trust/stage.js";
import type { StageOrder } from "../policy/trust/stage-order.js";
import { type VerifiedPolicy, verifyPolicy } from "../policy/trust/verify-policy.js";
import type { Carrier } from "../stream/carrier.js";
import { kafkaCarrier } from "../stream/kafka/kafka-carrier.js";
import { EXIT, Failure } from "./failure.js";
import { kafkaSettings } from "./kafka-option.js";
import { readKeyring, readSigned, readSigningKey } from "./trust-files.js";
import type { StageOptions } from "./verbs/control.js";

const SETTLE_MS = 250;

/** What hosts tell of one policy, from now on. */
class Words {
  readonly latest = new Map<string, HostWord>();
  static async listen(carrier: Carrier, scope: string): Promise<Words> {
    const words = new Words();
    const sinceMs = Date.now();
    await carrier.subscribe("portolan.verdicts", {
      positions: async () => new Map(),
      async handle({ value, timestampMs }) {
        if (timestampMs < sinceMs) return;
        try {
          const report = parseVerdictReport(value);
          if (report.scope === scope) words.latest.set(report.host, report);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
        }
      },
    });
    return words;
  }
}

async function send(carrier: Carrier, policy: VerifiedPolicy, stage: Stage, key: SigningKey): Promise<void> {
  const { scope, generation, expires } = policy.order;
  const nowMs = Date.now();
  const document: StageOrder = {
    version: 1,
    scope,
    generation,
    policyHash: policy.hash,
    stage,
    sequence: nowMs,
    expires,
  };
  const envelope = await addSignature(sealDocument(document), "portolan-stage+jws", key, "promoter", nowMs);
  const value = Buffer.from(renderEnvelope(envelope));
  const headers = { schema: "portolan.stage-order/1" };
  await carrier.send("portolan.policies", { key: `${scope}${STAGE_SUFFIX}`, value, headers });
}

/** Waits until nothing speaks against the stage; what still does when time is up. */
async function untilClear(obstacles: () => readonly string[], withinMs: number): Promise<readonly string[]> {
  const end = Date.now() + withinMs;
  let found = obstacles();
  while (found.length > 0 && Date.now() < end) {
    await wait(SETTLE_MS);
    found = obstacles();
  }
  return found;
}

/**
 * Moves a rollout to a stage, or with `auto` through every stage up to it. Refuses with what speaks against it; a host that
 * takes its trial back ends an automatic rollout and takes all hosts back to audit.
 */
export async function promoteStage(options: StageOptions, say: (text: string) => void): Promise<void> {
  const settings = kafkaSettings("promote", options);
  if (settings === undefined || options.policy === undefined || options.key === undefined) {
    throw new Failure("Cannot move a rollout: wanted --kafka, --policy and --key", EXIT.input);
  }
  const keyring = await readKeyring(options.keyring);
  const policy = await verifyPolicy(readSigned(options.policy), { keyring, nowMs: Date.now() });
  const key = await readSigningKey(options.key);
  const hosts = hostsOf(policy);
  const carrier = await kafkaCarrier(settings);
  try {
    const { latest } = await Words.listen(carrier, policy.order.scope);
    const goal = STAGES.indexOf(options.stage);
    const stages = options.auto ? STAGES.slice(1, goal + 1) : [options.stage];
    for (const stage of stages) {
      const unmet = await untilClear(() => rolloutObstacles(policy, hosts, stage, latest), options.within);
      if (unmet.length > 0) {
        say([`not moved to stage ${stage}:`, ...unmet.map((line) => `  ${line}`)].join("\n"));
        process.exitCode = EXIT.no;
        return;
      }
      await send(carrier, policy, stage, key);
      say(`stage ${stage}: ${hostsAdded(policy, hosts, stage).join(", ") || "no host more"}`);
      if (options.auto && !(await isHeld(policy, hosts, stage, latest, options.within))) {
        await send(carrier, policy, "audit", key);
        say(`a trial was taken back or did not end in ${options.within} ms: all hosts go back to audit`);
        process.exitCode = EXIT.no;
        return;
      }
    }
  } finally {
    await carrier.close();
  }
}

/** Whether every host that the stage added came to deny; false as soon as one takes its trial back. */
async function isHeld(
  policy: VerifiedPolicy,
  hosts: readonly string[],
  stage: Stage,
  latest: ReadonlyMap<string, HostWord>,
  withinMs: number,
): Promise<boolean> {
  const added = hostsAdded(policy, hosts, stage);
  const states = () => added.map((host) => latest.get(host)?.state);
  await untilClear(() => {
    const found = states();
    return found.includes("rollback") || found.every((state) => state === "deny") ? [] : ["not yet"];
  }, withinMs);
  return states().every((state) => state === "deny");
}
