import assert from "node:assert/strict";
import test from "node:test";
import { matchesSelector, parseSelector } from "../../../../policy/formats/calico/selector-expression.js";

const LABELS = { app: "web", "example.com/tier": "front", empty: "" };

const CASES: readonly (readonly [selector: string, isMatch: boolean])[] = [
  ["", true],
  ["all()", true],
  ["global()", false],
  ["!global()", true],
  ["app == 'web'", true],
  ['app == "web"', true],
  ["app=='db'", false],
  ["app != 'db'", true],
  ["missing != 'db'", true],
  ["missing == ''", false],
  ["empty == ''", true],
  ["has(app)", true],
  ["!has(app)", false],
  ["has(example.com/tier)", true],
  ["app in { 'db', 'web' }", true],
  ["app in {}", false],
  ["app not in { 'db' }", true],
  ["missing not in { 'db' }", true],
  ["missing in { 'db' }", false],
  ["app contains 'e'", true],
  ["app starts with 'we'", true],
  ["app ends with 'we'", false],
  ["missing starts with ''", false],
  ["app == 'db' || app == 'web' && has(missing)", false],
  ["(app == 'db' || app == 'web') && !has(missing)", true],
  ["!(app == 'db' || has(missing))", true],
  ["!!has(app)", true],
  ["app == '&&' || has(empty)", true],
];

for (const [selector, isMatch] of CASES) {
  test(`selector ${selector || "(empty)"} ${isMatch ? "matches" : "does not match"}`, () => {
    assert.equal(matchesSelector(parseSelector(selector), { labels: LABELS, isGlobal: false }), isMatch);
  });
}

for (const selector of [
  "app",
  "app =",
  "app == web",
  "(app == 'a'",
  "app == 'a')",
  "app in 'a'",
  "everything()",
  "app == 'a' has(b)",
  "&& has(a)",
  "app ~ 'x'",
]) {
  test(`selector ${selector} is refused`, () => {
    assert.throws(() => parseSelector(selector), SyntaxError);
  });
}
