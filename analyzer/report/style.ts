/** The report's whole style: system fonts, two themes by the reader's preference, and black on white in print. */
export const REPORT_STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #4a5666; --line: #d3d9e0; --paper: #ffffff; --panel: #f5f7f9;
  --accent: #0b5c8a; --good: #1d6b3a; --warn: #8a4b00; --bad: #a3231f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf1; --soft: #b3bfcc; --line: #3a4654; --paper: #14191f; --panel: #1d242c;
    --accent: #7cc4ee; --good: #7fd39b; --warn: #f0b86a; --bad: #ff9c96; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
p, ul, ol, dl { margin: .5rem 0; max-width: 46rem; }
a { color: var(--accent); }
code, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .9em; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; color: var(--soft); }
.soft { color: var(--soft); }
.state { display: inline-block; padding: .15rem .6rem; border: 1.5px solid currentColor; border-radius: 1rem; font-weight: 600; }
.good, .warn, .bad { white-space: nowrap; } .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0; max-width: none; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem; }
.figures dt { font-size: .85rem; color: var(--soft); } .figures dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption.heard { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
caption { text-align: left; color: var(--soft); padding-bottom: .35rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { border-bottom: 1.5px solid var(--soft); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 500; min-width: 9rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.rule { break-inside: avoid; border: 1px solid var(--line); border-radius: .5rem; padding: .25rem 1rem .75rem; margin: 1rem 0; }
.rule h3 { margin-top: .6rem; }
.widening { border-left: 3px solid var(--warn); padding-left: .6rem; margin: .4rem 0; }
svg { display: block; width: 100%; height: auto; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; }
figure { margin: 1rem 0; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .node { fill: var(--paper); stroke: var(--accent); stroke-width: 1.5; }
svg .link { fill: none; stroke: var(--soft); stroke-width: 1.3; }
svg .port { fill: var(--soft); font-size: 10.5px; }
nav ul { padding-left: 1.1rem; columns: 2 16rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #333; --line: #bbb; --paper: #fff; --panel: #fff; --accent: #000; --good: #000; --warn: #000; --bad: #000; }
  body { padding: 0; max-width: none; font-size: 10pt; } nav { display: none; } .scroll { overflow: visible; }
  h2 { break-after: avoid; } tr { break-inside: avoid; }
}
`;
