/** The report's whole style: readable without anything else, in both themes and on paper. */
export const reportStyle = `
:root { color-scheme: light dark; --back: #fff; --text: #1b1d21; --quiet: #666b73; --line: #d9dce1; --good: #16794c; --bad: #b3362b; --mark: #2f5fd0; --head: #f4f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --back: #16181c; --text: #eceef1; --quiet: #9aa0a8; --line: #363a42; --good: #5cc795; --bad: #f08a7f; --mark: #8fb0ff; --head: #1f2227; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 32px 24px 64px; max-width: 1240px; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 8px; } h3 { font-size: 15px; margin: 24px 0 4px; }
p, ul { margin: 8px 0; max-width: 90ch; } .quiet, small { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; margin: 8px 0; }
th, td { padding: 5px 9px; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th { font-weight: 600; background: var(--head); vertical-align: bottom; } th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--back); }
th:first-child { background: var(--head); } td small { display: block; font-size: 11px; } td .paper { color: var(--quiet); font-style: italic; }
tr.first td { font-weight: 600; } tr.first td small { font-weight: 400; } tr.limit td { color: var(--quiet); }
svg { display: block; width: 100%; max-width: 820px; font: 12px system-ui, sans-serif; } svg text { fill: var(--text); } svg text.quiet { fill: var(--quiet); }
svg line, svg polyline { stroke: var(--quiet); stroke-width: 2; fill: none; } svg .axis { stroke: var(--line); stroke-width: 1; } svg .front { stroke: var(--mark); stroke-dasharray: 4 4; stroke-width: 1; }
svg circle { fill: var(--quiet); } svg .point circle { fill: var(--mark); } svg .good line { stroke: var(--good); } svg .good circle { fill: var(--good); } svg .bad line { stroke: var(--bad); } svg .bad circle { fill: var(--bad); }
.sheet { display: grid; grid-template-columns: 190px 1fr; gap: 4px 12px; margin: 12px 0; align-items: center; max-width: 1020px; } .sheet img { width: 100%; display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; } dt { color: var(--quiet); } dd { margin: 0; }
svg.curve { width: 250px; } .curves { display: flex; flex-wrap: wrap; gap: 12px 24px; }
code { font: 13px ui-monospace, monospace; background: var(--head); padding: 2px 5px; border-radius: 4px; }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } tr, svg, .sheet { break-inside: avoid; } .wide { overflow: visible; } table { font-size: 9px; } th, td { padding: 2px 4px; } }
`;
