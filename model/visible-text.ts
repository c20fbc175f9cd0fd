// Control characters, bidirectional controls, zero-width characters, other invisible format characters and lone
// surrogates: all that can hide, reorder or break the text around it.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u3164\uffa0]/gu;

/**
 * Text from the wire as it may be shown to people: whatever has no glyph or changes its surroundings stands as its code
 * point, e.g. `⟨U+202E⟩`, and more than `limit` characters are cut with an ellipsis.
 */
export function visibleText(text: string, limit = 200): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(INVISIBLE, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}
