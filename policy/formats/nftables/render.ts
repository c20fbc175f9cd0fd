import type { Inventory } from "../../../model/workload.js";
import { type Bundle, type BundleFile, type RenderOptions, sortFiles } from "../../bundle.js";
import type { PolicySet } from "../../policy-set.js";
import { renderBundleReadme } from "../bundle-readme.js";
import { slug, uniqueNames } from "../object-names.js";
import { commentLine } from "../yaml-text.js";
import { expressForHosts } from "./express-for-hosts.js";
import { isolatedHosts, type TablePlan, tablePlan } from "./host-ruleset.js";
import { ruleIdsText } from "./nft-text.js";
import { flipText, generationText, leaseText, structureText } from "./ruleset-text.js";

function applyText(policySet: PolicySet): string {
  return APPLY.replaceAll("SCOPE", slug(policySet.name));
}

const APPLY = `Each file is for the host whose name it bears. Copy it there, check it, load it:

    nft -c -f HOST.nft
    nft -f HOST.nft

One file is one transaction: it is in force as a whole or not at all, and loading it again changes nothing. It fills a
table of its own, \`inet portolan\`, and touches no other.

Load the audit files first and let them run for a day: nothing is dropped, the kernel learns which connections are open,
and what deny would drop is noted:

    nft list set inet portolan seen_in4_SCOPE
    nft list counters table inet portolan

Audit and deny files differ in the set \`lease_SCOPE\` alone, so a host changes between them at once:

    nft add element inet portolan lease_SCOPE '{ ipv4, ipv6 }'     # deny
    nft flush set inet portolan lease_SCOPE                        # audit

Sets and chains of an older generation stay until the table is deleted; nothing asks them.`;

const TAKE_BACK = `Open the host without forgetting anything, and close it again:

    nft add table inet portolan '{ flags dormant; }'
    nft add table inet portolan

Remove everything that the file made:

    nft delete table inet portolan`;

function hostFile(plan: TablePlan, text: string, policySet: PolicySet): string {
  const permits = plan.scopes.flatMap((scope) => scope.permits);
  const reasons = policySet.rules
    .filter((rule) => permits.some((set) => set.boxes.some((box) => box.rules.includes(rule.id))))
    .map((rule) => `#   ${ruleIdsText([rule.id])}: ${commentLine(rule.reason)}`);
  const head = [
    "#!/usr/sbin/nft -f",
    `# host ${JSON.stringify(commentLine(plan.workload))}`,
    `# policy set ${slug(policySet.name)}, generation ${policySet.generation}`,
    ...(reasons.length > 0 ? ["# rules:", ...reasons.sort()] : []),
  ];
  return `${head.join("\n")}\n\n${text}`;
}

/** One ruleset for each isolated host, audit and deny from one source, with the rule of every permit as its comment. */
export function renderNftables(policySet: PolicySet, inventory: Inventory, options: RenderOptions): Bundle {
  const expression = expressForHosts(policySet, inventory, options);
  const plans = isolatedHosts(expression).map((workload) => tablePlan([expression], workload, { isPublishing: false }));
  const names = uniqueNames(
    plans,
    (plan) => slug(plan.workload) || "host",
    (plan) => plan.workload,
  );
  const files = [...names].map(([plan, name]): BundleFile => {
    const permits = plan.scopes.map((scope) => generationText(scope)).join("");
    const parts = [
      `# What the policy permits: source . destination . service\n${permits}`,
      `# What no policy changes\n${structureText(plan)}`,
      `# From here on this generation is asked\n${flipText(plan)}`,
      `# The difference between audit and deny\n${leaseText(policySet.name, options.mode)}`,
    ];
    return { path: `${name}.nft`, text: hostFile(plan, parts.join("\n"), expression.expressed.policySet) };
  });
  const readme = renderBundleReadme({
    title: "nftables rulesets",
    policySet,
    mode: options.mode,
    apply: applyText(policySet),
    takeBack: TAKE_BACK,
    losses: expression.losses,
  });
  return {
    files: sortFiles([...files, { path: "README.md", text: readme }]),
    losses: expression.losses,
    expressed: expression.expressed,
  };
}
