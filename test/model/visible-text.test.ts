import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { visibleText } from "../../model/visible-text.js";

test("what hides, reorders or breaks text stands as its code point", () => {
  assert.equal(visibleText("evil\u202etxt.exe"), "evil⟨U+202E⟩txt.exe");
  assert.equal(visibleText("a\u0000b\nc\u200bd"), "a⟨U+0000⟩b⟨U+000A⟩c⟨U+200B⟩d");
  assert.equal(visibleText("lone \ud800"), "lone ⟨U+D800⟩");
  assert.equal(visibleText("<b>bücher 書</b>"), "<b>bücher 書</b>");
});

test("long text is cut with an ellipsis", () => {
  assert.equal(visibleText("x".repeat(300), 5), "xxxxx…");
});

test("no control or format character is ever left", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.doesNotMatch(visibleText(text), /[\p{Cc}\p{Cf}\p{Cs}]/u);
    }),
  );
});
