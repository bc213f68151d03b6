// A page with the picture of a graph, or of two side by side: hovering tells what a layer is, a table has it all.

import { escaped } from '../../engine/plot/svg.ts';
import { drawPicture } from './draw.ts';
import { describePicture, type PictureSide, percent } from './picture.ts';
import { styleSheet } from './style.ts';

export interface PageOptions {
  readonly title?: string | undefined;
  /** Lines above the pictures, such as the findings of a diff. */
  readonly summary?: readonly string[] | undefined;
}

/** HTML that stands alone: no script or sheet is loaded from anywhere. */
export function picturePage(
  sides: readonly PictureSide[],
  { title, summary = [] }: PageOptions = {},
): string {
  const name = title ?? sides.map((side) => side.title ?? side.graph.name).join(' and ');
  const figures = sides.map((side, i) => {
    const { width, height, content } = drawPicture(side, `u${i}`);
    const label = escaped(side.title ?? side.graph.name);
    return `<figure><svg class="unet" viewBox="0 0 ${width} ${height}" style="max-width:${width}px" role="img" aria-label="${label}">
<rect class="paper" width="${width}" height="${height}"/>
${content}
</svg></figure>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(name)}</title>
<style>${styleSheet(':root')}
${PAGE}</style>
${title === undefined ? '' : `<h1>${escaped(title)}</h1>`}
${summary.length === 0 ? '' : `<ul class="summary">${summary.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`}
<main>${figures.join('\n')}</main>
${sides.map(table).join('\n')}
<div id="tip" hidden></div>
<script>${SCRIPT}</script>
</html>
`;
}

/** Everything that hovering tells, for those who cannot hover. */
function table(side: PictureSide): string {
  const { rows, middle, head, conditions, title } = describePicture(side);
  const rights = rows.flatMap(({ right }) => right ?? []).reverse();
  const boxes = [...rows.map(({ left }) => left), middle, ...rights, head];
  const row = (cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  const layers = [
    ...conditions.map((chip) =>
      row([chip.path, chip.label, ...chip.tip.slice(1, 2), chip.tip.slice(2).join(', '), '']),
    ),
    ...boxes.flatMap(({ chips, share }) =>
      chips.map(({ path, label, tip }, i) =>
        row([path, label, tip[1] ?? '', tip.slice(2).join('; '), i === 0 ? percent(share) : '']),
      ),
    ),
  ];
  return `<details><summary>Layers of ${escaped(title)}</summary>
<table><tr><th>path<th>layer<th>in full<th>shapes and cost<th>block's share</tr>
${layers.join('\n')}
</table></details>`;
}

const PAGE = `body{margin:24px;background:var(--paper);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",Helvetica,Arial,sans-serif}
h1{font-size:22px;margin:0 0 8px}
.summary{margin:0 0 16px;padding-left:20px}
main{display:flex;flex-wrap:wrap;gap:24px}
figure{margin:0;flex:1 1 560px;min-width:0}
svg{width:100%;height:auto;display:block}
details{margin-top:16px}
table{border-collapse:collapse;font-size:12px}
td,th{padding:2px 14px 2px 0;text-align:left;vertical-align:top;font-variant-numeric:tabular-nums}
tr:nth-child(even){background:var(--band)}
#tip{position:fixed;z-index:1;max-width:420px;padding:8px 12px;border-radius:8px;background:var(--ink);color:var(--paper);font-size:12px;white-space:pre-line;pointer-events:none;box-shadow:0 4px 16px #0005}
#tip::first-line{font-weight:650}`;

/** Shows the titles of the picture at once, beside the pointer. */
const SCRIPT = `const tip = document.getElementById('tip');
const texts = new Map();
for (const title of document.querySelectorAll('svg title')) {
  texts.set(title.parentNode, title.textContent);
  title.remove();
}
addEventListener('pointermove', (event) => {
  let node = event.target;
  while (node && !texts.has(node)) node = node.parentNode;
  tip.hidden = !node;
  if (!node) return;
  tip.textContent = texts.get(node);
  tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + 'px';
  tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8) + 'px';
});`;
