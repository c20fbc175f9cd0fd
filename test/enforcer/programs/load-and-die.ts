// Loads a generation and is killed in the middle: at the N-th start of nft for a change, before it or after it. Arguments:
// namespace, generation, N, "before" or "after"
import { spawnSync } from "node:child_process";
import { Nft } from "../../../enforcer/nft.js";
import { openKernel } from "../../../enforcer/nft-kernel.js";
import { HOST, scope, wanted } from "../sample-order.js";

const [namespace, generation, step, when] = process.argv.slice(2) as [string, string, string, string];
const apply = Nft.prototype.apply;
let calls = 0;
Nft.prototype.apply = async function (text: string): Promise<void> {
  const isLast = ++calls === Number(step);
  if (isLast && when === "before") spawnSync("kill", ["-KILL", String(process.pid)]);
  await apply.call(this, text);
  if (isLast) spawnSync("kill", ["-KILL", String(process.pid)]);
};
const kernel = await openKernel({ host: HOST, wrap: ["ip", "netns", "exec", namespace] });
await kernel.load(wanted([scope("shop", Number(generation))]));
process.exit(9);
