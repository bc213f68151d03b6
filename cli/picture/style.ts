// The colours of pictures, for light and dark, as one style sheet that an SVG carries in itself.

import type { ChipKind } from './picture.ts';

/** Fill, line and ink of each kind of layer: blue computes, amber attends, green resamples, violet conditions. */
const KINDS = {
  res_block: { light: ['#dbe7fb', '#6f9bea', '#17365f'], dark: ['#1d3557', '#5b8de0', '#d6e4fb'] },
  attention: { light: ['#fdebcb', '#e3a13a', '#5f3d05'], dark: ['#4a3512', '#d49b3f', '#fbe6c0'] },
  downsample: { light: ['#d6f0e7', '#4fb393', '#0d4434'], dark: ['#143d31', '#45a586', '#cdeee2'] },
  upsample: { light: ['#d6f0e7', '#4fb393', '#0d4434'], dark: ['#143d31', '#45a586', '#cdeee2'] },
  conv: { light: ['#e6e9ee', '#9aa5b4', '#2b3541'], dark: ['#2d3540', '#8592a3', '#e3e8ee'] },
  identity: { light: ['#e6e9ee', '#9aa5b4', '#2b3541'], dark: ['#2d3540', '#8592a3', '#e3e8ee'] },
  head: { light: ['#e6e9ee', '#9aa5b4', '#2b3541'], dark: ['#2d3540', '#8592a3', '#e3e8ee'] },
  time: { light: ['#ecdffa', '#ab84dc', '#3f1d69'], dark: ['#37234f', '#9d78cf', '#eadcfb'] },
} as const satisfies Readonly<Record<ChipKind, object>>;

const PLAIN = {
  light: {
    paper: '#ffffff',
    ink: '#1c2530',
    muted: '#667382',
    band: '#f4f6f9',
    line: '#9fabb9',
    bar: '#c9d2dd',
    hot: '#e07a5f',
  },
  dark: {
    paper: '#14181d',
    ink: '#e8edf3',
    muted: '#94a1b0',
    band: '#1b2027',
    line: '#64717f',
    bar: '#3a4551',
    hot: '#e8957d',
  },
} as const;

const MARKS = {
  light: { added: '#15924a', removed: '#d03545', changed: '#c26a00' },
  dark: { added: '#3fc877', removed: '#f2707d', changed: '#f0a13c' },
} as const;

type Scheme = keyof typeof PLAIN;

function variables(scheme: Scheme): string {
  const kinds = Object.entries(KINDS).flatMap(([kind, colors]) => {
    const [fill, line, ink] = colors[scheme];
    return [`--${kind}-fill:${fill}`, `--${kind}-line:${line}`, `--${kind}-ink:${ink}`];
  });
  const rest = { ...PLAIN[scheme], ...MARKS[scheme] };
  return [...kinds, ...Object.entries(rest).map(([name, color]) => `--${name}:${color}`)].join(';');
}

const kindRules = Object.keys(KINDS)
  .map((kind) => `.${kind}{--fill:var(--${kind}-fill);--edge:var(--${kind}-line);--text:var(--${kind}-ink)}`)
  .join('\n');

/** Rules for the root element `root` and what is in it. */
export function styleSheet(root: string): string {
  return `${root}{${variables('light')};color-scheme:light dark}
@media (prefers-color-scheme:dark){${root}{${variables('dark')}}}
.unet{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",Helvetica,Arial,sans-serif;font-size:12px}
.unet text{fill:var(--ink)}
.unet .paper{fill:var(--paper)}
.unet .title{font-size:20px;font-weight:650}
.unet .muted{fill:var(--muted);font-size:11px}
.unet .size{font-size:14px;font-weight:600}
.unet .band{fill:var(--band)}
.unet .way{fill:none;stroke:var(--line);stroke-width:1.6}
.unet .tip-of-arrow{fill:var(--line)}
.unet .skip{stroke:var(--line);stroke-width:1.4;stroke-dasharray:1 5;stroke-linecap:round}
.unet .channels{font-size:11px;fill:var(--muted);paint-order:stroke;stroke:var(--band);stroke-width:8px}
.unet .bar{fill:var(--bar)}
.unet .chip rect{fill:var(--fill);stroke:var(--edge);stroke-width:1.2}
.unet .added rect{stroke:var(--added);stroke-width:3}
.unet .removed rect{stroke:var(--removed);stroke-width:3}
.unet .changed rect{stroke:var(--changed);stroke-width:3}
.unet .chip text{fill:var(--text);pointer-events:none}
.unet .chip:hover rect{stroke-width:2.4}
.unet .row:hover .skip{stroke:var(--hot);stroke-width:2.2}
.unet .row:hover .bar,.unet .bar-of:hover .bar{fill:var(--hot)}
.unet .compared .chip:not(.added,.removed,.changed){opacity:.42}
.unet .badge{font-size:12px;font-weight:700;text-anchor:middle}
.unet .added .badge-back{fill:var(--added)}
.unet .removed .badge-back{fill:var(--removed)}
.unet .changed .badge-back{fill:var(--changed)}
.unet .chip .badge{fill:var(--paper)}
${kindRules}`;
}
