import { Command, Option } from "commander";
import { PLANE_NAMES } from "../../policy/formats/target-names.js";

export interface VerdictOptions {
  readonly target: string;
  readonly resources: string;
  readonly queries: string;
}

export function verdictCommand(): Command {
  return new Command("verdict")
    .description("answer whether traffic would pass under the policies of a cluster")
    .addOption(
      new Option("-t, --target <plane>", "whose meaning policies have").choices(PLANE_NAMES).makeOptionMandatory(),
    )
    .requiredOption("-r, --resources <dir>", "the cluster's manifests, read with all folders below")
    .requiredOption("-q, --queries <file>", "questions, one JSON object to a line; - for standard input")
    .option("--json", "what it always prints: one JSON object to a line")
    .addHelpText(
      "after",
      `
A question names two ends, each {"namespace","pod"} or {"ip"}, a protocol (tcp, udp, sctp, icmp, icmpv6 or a number) and a
port, or for ICMP a type and a code. A workload's own name stands for its pods. Each line is printed again with the verdict
(allowed, denied or audited), the verdict of each end, the policies and rules that decided, and the reasons in words.

Example:
  echo '{"client":{"namespace":"shop","pod":"web"},"server":{"ip":"192.0.2.1"},"protocol":"tcp","port":443}' |
    portolan verdict --target kubernetes --resources manifests/ --queries -`,
    )
    .action(async (options: VerdictOptions) => (await import("../verdict.js")).verdict(options));
}
