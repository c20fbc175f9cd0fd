/** HTML that is safe to send: made by `html` alone, so that foreign text cannot get in unescaped. */
export interface Markup {
  readonly kind: "markup";
  readonly text: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Invisible or direction-changing characters, by which a hostile name could pass for another; also lone surrogates. */
const DECEPTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Text for people: markup characters escaped, characters that deceive the eye spelled out as `[U+202E]`. */
export function escapeText(text: string): string {
  return text
    .replace(
      DECEPTIVE,
      (match) => `[U+${(match.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0")}]`,
    )
    .replace(/[&<>"']/g, (match) => ENTITIES[match] as string);
}

type Content = string | number | Markup | readonly Content[];

function contentText(content: Content): string {
  if (typeof content === "string") return escapeText(content);
  if (typeof content === "number") return String(content);
  return "kind" in content ? content.text : content.map(contentText).join("");
}

/** Template for HTML: everything that is filled in is escaped, unless it is markup already. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  const text = parts.reduce((sum, part, i) => `${sum}${contentText(contents[i - 1] ?? "")}${part}`);
  return { kind: "markup", text };
}

export function paragraph(text: string): Markup {
  return html`<p>${text}</p>`;
}
