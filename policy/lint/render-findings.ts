import { formatPosition } from "../formats/manifest/manifest-error.js";
import { type Finding, LINT_RULES } from "./finding.js";

/** One line for each finding, as compilers write them. */
export function renderText(findings: readonly Finding[]): string {
  return findings
    .map(({ rule, text, position }) => {
      const place = position === undefined ? "" : `${formatPosition(position)}: `;
      return `${place}${LINT_RULES[rule].level}: ${text} [${rule}]\n`;
    })
    .join("");
}

/** SARIF 2.1.0, the format in which code hosts and editors take findings. */
export function renderSarif(findings: readonly Finding[], version: string): string {
  const rules = Object.entries(LINT_RULES).map(([id, { level, about }]) => ({
    id,
    shortDescription: { text: about },
    defaultConfiguration: { level },
  }));
  const results = findings.map(({ rule, text, position }) => ({
    ruleId: rule,
    level: LINT_RULES[rule].level,
    message: { text },
    ...(position === undefined
      ? {}
      : {
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: position.path.split("/").map(encodeURIComponent).join("/") },
                region: { startLine: position.line, startColumn: position.column },
              },
            },
          ],
        }),
  }));
  const driver = { name: "portolan", version, rules };
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results }],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}
