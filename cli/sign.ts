import { basename, dirname } from "node:path";
import { addSignature, type Envelope, parseEnvelope, renderEnvelope, sealDocument } from "../policy/trust/envelope.js";
import { verifyPolicy } from "../policy/trust/verify-policy.js";
import { orderLine, orderOfOptions } from "./approve.js";
import { EXIT, Failure } from "./failure.js";
import { readKeyring, readSigned, readSigningKey } from "./trust-files.js";
import type { SignOptions } from "./verbs/sign.js";
import { writeFiles } from "./write-files.js";

export async function sign(options: SignOptions): Promise<void> {
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
}
