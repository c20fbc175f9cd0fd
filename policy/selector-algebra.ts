import type { LabelRequirement, LabelSelector } from "../model/label-selector.js";

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function textOf(requirement: LabelRequirement): string {
  const values = "values" in requirement ? requirement.values : [];
  return JSON.stringify([requirement.key, requirement.operator, ...values]);
}

/**
 * The same query in one spelling: keys sorted, `In` lists of one key intersected, `NotIn` lists united and taken
 * out of `In` lists, what follows from another requirement left out. `undefined` when no label set can meet it.
 */
export function canonicalSelector(selector: LabelSelector): LabelSelector | undefined {
  const byKey = new Map<string, { in?: Set<string>; notIn: Set<string>; exists: boolean; absent: boolean }>();
  for (const requirement of selector.requirements) {
    const facts = byKey.get(requirement.key) ?? { notIn: new Set<string>(), exists: false, absent: false };
    byKey.set(requirement.key, facts);
    switch (requirement.operator) {
      case "In": {
        const { in: earlier } = facts;
        facts.in = new Set(requirement.values.filter((value) => earlier === undefined || earlier.has(value)));
        break;
      }
      case "NotIn":
        for (const value of requirement.values) facts.notIn.add(value);
        break;
      case "Exists":
        facts.exists = true;
        break;
      case "DoesNotExist":
        facts.absent = true;
        break;
    }
  }
  const requirements: LabelRequirement[] = [];
  for (const [key, facts] of [...byKey].sort(([a], [b]) => byText(a, b))) {
    if (facts.absent) {
      if (facts.in !== undefined || facts.exists) return undefined;
      requirements.push({ key, operator: "DoesNotExist" });
    } else if (facts.in !== undefined) {
      const values = [...facts.in].filter((value) => !facts.notIn.has(value)).sort(byText);
      if (values.length === 0) return undefined;
      requirements.push({ key, operator: "In", values });
    } else {
      if (facts.exists) requirements.push({ key, operator: "Exists" });
      if (facts.notIn.size > 0) requirements.push({ key, operator: "NotIn", values: [...facts.notIn].sort(byText) });
    }
  }
  return { requirements };
}

/** The query that both `a` and `b` must meet, canonical; `undefined` when no label set can. */
export function intersectSelectors(a: LabelSelector, b: LabelSelector): LabelSelector | undefined {
  return canonicalSelector({ requirements: [...a.requirements, ...b.requirements] });
}

/** A key that is equal for selectors with the same canonical spelling. */
export function selectorKey(selector: LabelSelector): string {
  return selector.requirements.map(textOf).sort(byText).join(" ");
}
