import { basename, dirname } from "node:path";
import { Command } from "commander";
import type { PolicyMode } from "../policy/policy-set.js";
import { addSignature, type Envelope, parseEnvelope, renderEnvelope, sealDocument } from "../policy/trust/envelope.js";
import { verifyPolicy } from "../policy/trust/verify-policy.js";
import { orderLine, orderOfOptions, withOrderOptions } from "./approve.js";
import { EXIT, Failure } from "./failure.js";
import { readKeyring, readSigned, readSigningKey } from "./trust-files.js";
import { writeFiles } from "./write-files.js";

interface SignOptions {
  readonly approval?: string;
  readonly policy?: string;
  readonly inventory?: string;
  readonly generation?: number;
  readonly mode: PolicyMode;
  readonly settings?: string;
  readonly validDays: number;
  readonly key: string;
  readonly keyring: string;
  readonly out: string;
  readonly json?: true;
}

export function signCommand(): Command {
  return withOrderOptions(new Command("sign").description("release an approved policy to enforcers"))
    .option("-a, --approval <file>", "what author and approver vouched for")
    .requiredOption("-k, --key <file>", "your private key, whose role is signer")
    .requiredOption("--keyring <file>", "the keys that enforcers trust: what they would refuse is not signed")
    .requiredOption("-o, --out <file>", "where the signed policy goes")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      `
Without --approval the policy is sealed and signed at once, for keyrings that do not want two people (fourEyes: false).

Example:
  portolan sign --approval shop.approval --key release.key --keyring keyring.json --out shop.signed`,
    )
    .action(async (options: SignOptions) => {
      const nowMs = Date.now();
      const keyring = await readKeyring(options.keyring);
      const key = await readSigningKey(options.key);
      if ((options.approval === undefined) === (options.policy === undefined)) {
        throw new Failure("Cannot sign: wanted --approval, or --policy and --inventory", EXIT.input);
      }
      const envelope: Envelope =
        options.approval === undefined
          ? sealDocument(orderOfOptions(options, nowMs))
          : parseEnvelope(readSigned(options.approval));
      const signed = renderEnvelope(await addSignature(envelope, "portolan-policy+jws", key, "signer", nowMs));
      const { order, hash, vouchings } = await verifyPolicy(Buffer.from(signed), { keyring, nowMs });
      writeFiles(dirname(options.out), [{ path: basename(options.out), text: signed }]);
      const people = vouchings.map(({ role, person }) => `${role} ${person}`).join(", ");
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ scope: order.scope, generation: order.generation, hash, rulesetHash: order.rulesetHash, vouchings }, undefined, 2)}\n`
          : `signed: ${orderLine(order)}\n${people}\n`,
      );
    });
}
