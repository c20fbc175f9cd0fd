import { createHash } from "node:crypto";
import { escapeText, type Markup } from "./markup.js";
import { REPORT_STYLE } from "./style.js";

/** The page may use its own style and nothing else: no script, no request, no form. */
function contentSecurityPolicy(): string {
  const hash = createHash("sha256").update(REPORT_STYLE).digest("base64");
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}

/** A whole page around `body`, which is its `<body>` element. */
export function renderPage(title: string, body: Markup): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeText(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
${body.text}
</html>
`;
}
