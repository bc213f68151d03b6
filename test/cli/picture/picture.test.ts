// Pictures of graphs: what they say, and how they stand in a real browser.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphPicture } from '../../../cli/picture/draw.ts';
import { graphCost } from '../../../cli/picture/layer-cost.ts';
import { layOut, type PlacedBox, type Rect } from '../../../cli/picture/layout.ts';
import { picturePage } from '../../../cli/picture/page.ts';
import { describePicture, type Mark } from '../../../cli/picture/picture.ts';
import type { Graph } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { lowerGraph } from '../../../compiler/graph/lower.ts';
import { parameterCount } from '../../../compiler/graph/parameters.ts';
import { countMacs } from '../../../compiler/opgraph/cost.ts';
import { arbitraryClassifierGraph } from '../../arbitrary-classifier-graph.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { browser, documentOf } from '../../browser.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc, unetcJson } from '../../unetc.ts';

const inFolder = temporaryFolder();
const GRAPHS = join(import.meta.dirname, '..', '..', '..', 'graphs');
const graphFile = (name: string) => join(GRAPHS, `${name}.json`);
const graph = (name: string): Graph => loadGraph(readFileSync(graphFile(name), 'utf8'), name).graph;

describe('the costs that a picture shows', () => {
  it('add up to those of the graph', () => {
    for (const name of ['mnist-sr', 'cifar10']) {
      const cost = graphCost(graph(name));
      const { conv, linear, attention } = countMacs(
        lowerGraph(graph(name), { batch: 1, taps: false, precision: 'f32' }),
      );
      expect(cost).toMatchObject({ params: parameterCount(graph(name)), macs: conv + linear + attention });
      const { rows, middle, head } = describePicture({ graph: graph(name) });
      const shares = [...rows.flatMap(({ left, right }) => [left, right!]), middle, head].map(
        (box) => box.share,
      );
      const conditioning = (cost.of('time_embed').macs + cost.of('label_emb').macs) / cost.macs;
      expect(shares.reduce((sum, share) => sum + share, conditioning)).toBeCloseTo(1, 12);
    }
  });
});

describe('a picture', () => {
  it('has a row for each skip, with both ends', () => {
    const { rows } = describePicture({ graph: graph('mnist') });
    expect(rows.map(({ left, right, size, channels }) => [left.path, right?.path, size, channels])).toEqual([
      ['input_blocks.0', 'output_blocks.5', '28 × 28', 32],
      ['input_blocks.1', 'output_blocks.4', '28 × 28', 32],
      ['input_blocks.2', 'output_blocks.3', '14 × 14', 32],
      ['input_blocks.3', 'output_blocks.2', '14 × 14', 64],
      ['input_blocks.4', 'output_blocks.1', '7 × 7', 64],
      ['input_blocks.5', 'output_blocks.0', '7 × 7', 64],
    ]);
  });

  it('tells on hovering what a layer is and costs', () => {
    const svg = graphPicture({ graph: graph('cifar10') });
    expect(svg).toContain(
      '<title>input_blocks.5.0\nres_block 128 -&gt; 256 film dropout 0.3 skip conv1x1\n[128, 16, 16] → [256, 16, 16]\n' +
        '1,181,696 parameters, 2.2%\n',
    );
  });

  it('of the digits is the one in the README', () => {
    const url = new URL('../../../docs/mnist.svg', import.meta.url);
    const drawn = graphPicture({ graph: graph('mnist') });
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(url, drawn);
    expect(drawn, 'run again with UPDATE_GOLDEN=1').toBe(readFileSync(url, 'utf8'));
  });

  it('escapes names', () => {
    const named = { ...graph('mnist'), name: '<script>"&\u001b' };
    const page = picturePage([{ graph: named }]);
    expect(page).toContain('<title>&lt;script&gt;&quot;&amp;\ufffd</title>');
    expect(page.match(/<script>/g)).toHaveLength(1);
  });

  it('is a U of parts that do not touch, whatever the graph', () => {
    const arbitrary = fc.oneof(arbitraryCompactGraph, arbitraryExplicitGraph, arbitraryClassifierGraph);
    fc.assert(
      fc.property(arbitrary, fc.boolean(), (file, compared) => {
        const one = loadGraph(JSON.stringify(file), 'arbitrary').graph;
        const marks = compared ? new Map<string, Mark>() : undefined;
        const { rows, middle, head, width, height } = layOut(describePicture({ graph: one, marks }));
        const sides = rows.flatMap(({ left, right }) => (right ? [left, right] : [left]));
        const boxes: PlacedBox[] = [...sides, middle, head];
        expect(rows.every(({ right }) => (right === null) === (one.pool !== null))).toBe(true);
        const chips: Rect[] = boxes.flatMap((box) => box.chips);
        for (const [i, a] of chips.entries()) {
          expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height).toBe(true);
          for (const b of chips.slice(i + 1)) expect(apart(a, b)).toBe(true);
        }
        for (const [i, { left, right, row }] of rows.entries()) {
          const above = rows[i - 1];
          if (right) expect(left.x + left.width).toBeLessThan(right.x);
          if (!right || !above?.right || above.row.depth === row.depth) continue;
          const inward = Math.sign(row.depth - above.row.depth);
          expect([Math.sign(left.x - above.left.x), Math.sign(above.right.x - right.x)]).toEqual([
            inward,
            inward,
          ]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

it('has room for long names and for sizes in three dimensions', () => {
  const unet = { dims: 3, in_channels: 1, model_channels: 32, out_channels: 1, num_res_blocks: 1 };
  const file = { version: 1, name: 'm'.repeat(100), image_size: 1024, unet: { ...unet, channel_mult: [1] } };
  const text = JSON.stringify({ ...file, unet: { ...file.unet, attention_resolutions: [] } });
  const deep = loadGraph(text, 'deep').graph;
  const { width, bars, bands } = layOut(describePicture({ graph: deep }));
  // 20 and 14 pixels a letter high, half as wide at the least
  expect(width).toBeGreaterThan(18 + 100 * 10);
  expect(bands[0]!.size).toBe('1024 × 1024 × 1024');
  expect(bars!.left - bars!.longest - 40).toBeGreaterThan(24 + bands[0]!.size.length * 7);
});

function apart(a: Rect, b: Rect): boolean {
  return a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
}

describe('unetc graph', () => {
  it('writes what the name of the file says', async () => {
    const [svg, html] = [inFolder('g.svg'), inFolder('g.html')];
    expect(await unetc('graph', graphFile('mnist'), '-o', svg)).toMatchObject({
      exit: 0,
      stdout: `${svg}: mnist, 13 blocks\n`,
    });
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(await unetcJson('graph', graphFile('mnist'), '-o', html, '--size', '56')).toMatchObject({
      exit: 0,
      output: html,
    });
    expect(readFileSync(html, 'utf8')).toContain('56 × 56');
    expect(await unetc('graph', graphFile('mnist'), '-o', 'g.png')).toMatchObject({ exit: 2, stdout: '' });
  });
});

/** Measures in the browser what the layout only estimates, and says it in the body. */
const PROBE = `<script>{
const wide = [...document.querySelectorAll('.chip')].filter((chip) => {
  const [text, rect] = [chip.querySelector('text'), chip.querySelector('rect')];
  return text && rect && text.getBBox().width > rect.getBBox().width - 6;
});
const texts = [...document.querySelectorAll('svg')].flatMap((svg) =>
  [...svg.querySelectorAll('text')].filter((text) => {
    const [a, b] = [text.getBoundingClientRect(), svg.getBoundingClientRect()];
    return a.right > b.right || a.left < b.left || a.bottom > b.bottom;
  }),
);
const chip = document.querySelector('[data-path="middle_block.1"] rect');
chip.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: 10, clientY: 10 }));
const color = (path) => getComputedStyle(document.querySelector('[data-path="' + path + '"] rect')).stroke;
document.body.dataset.found = JSON.stringify({
  wide: wide.map((chip) => chip.textContent),
  outside: texts.map((text) => text.textContent),
  tip: document.getElementById('tip').textContent,
  fill: getComputedStyle(chip).fill,
  added: color('label_emb'),
});
}</script>`;

describe.skipIf(browser === null)('in a browser', () => {
  const probe = async (page: string) => {
    const file = inFolder('page.html');
    writeFileSync(file, page.replace('</html>', `${PROBE}</html>`));
    const found = /data-found="([^"]*)"/.exec(await documentOf(file))![1]!;
    return JSON.parse(found.replaceAll('&quot;', '"').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
  };

  it('labels fit into their chips, nothing stands outside, and hovering tells', async () => {
    const found = await probe(picturePage([{ graph: graph('upsample256') }]));
    expect(found).toMatchObject({ wide: [], outside: [], fill: 'rgb(253, 235, 203)' });
    expect(found.tip).toContain('middle_block.1\nattention 768 heads 4\n[768, 8, 8] → [768, 8, 8]\n');
  });

  it('two graphs stand side by side, their changes coloured', async () => {
    const marks = new Map<string, Mark>([['label_emb', 'added']]);
    const notes = new Map([['middle_block.1', ['heads: 4 became 2']]]);
    const sides = [
      { graph: graph('mnist'), title: 'before', marks, notes },
      { graph: graph('cifar10'), title: 'after', marks: new Map<string, Mark>() },
    ];
    const found = await probe(picturePage(sides, { title: 'digits', summary: ['1 breaking'] }));
    expect(found).toMatchObject({ wide: [], outside: [], added: 'rgb(21, 146, 74)' });
    expect(found.tip).toContain('heads: 4 became 2');
  });
});
