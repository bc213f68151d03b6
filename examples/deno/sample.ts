// Draws samples in Deno: a bundle, its weights, seeds, and a PNG for each, or all of them as tensors.
//
//   unetc compile graphs/mnist.json --batch 4 -o out/mnist-4
//   deno run --allow-read --allow-write examples/deno/sample.ts out/mnist-4 graphs/mnist.safetensors \
//     --seeds 0-9 --labels 0-9 --steps ddim50 -o out/digits
//
// Bundle and weights are paths, or addresses of a server (then with --allow-net). Where unetc is installed, `unetc/runtime`
// is found in node_modules; elsewhere `npm:unetc/runtime` names it.

import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { encodePng, openModel, RuntimeError, toPixels, UsageError, writeTensors } from 'unetc/runtime';

const { values: words, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '0' },
    labels: { type: 'string' },
    steps: { type: 'string', default: 'ddim50' },
    format: { type: 'string', default: 'png' },
    output: { type: 'string', short: 'o', default: 'out/deno' },
  },
});

/** `0-3,7` as numbers. */
function numbers(text: string): readonly number[] {
  return text.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const addressOf = (path: string) => (/^https?:/.test(path) ? path : pathToFileURL(path));

async function draw(): Promise<void> {
  const [bundle, weights] = positionals;
  if (bundle === undefined || weights === undefined) throw new UsageError('give a bundle and its weights');
  const labels = words.labels === undefined ? [] : numbers(words.labels);
  const requests = numbers(words.seeds).map((seed, i) => ({
    seed,
    ...(labels.length > 0 && { label: labels[i % labels.length]! }),
  }));
  await using model = await openModel({
    bundle: addressOf(bundle),
    weights: addressOf(weights),
    onNote: (note) => console.error(note),
  });
  console.error(`${model.name} on ${model.adapter}`);
  await Deno.mkdir(words.output, { recursive: true });
  const images = [];
  for await (const { request, image } of model.sample(requests, { steps: words.steps })) {
    const file = `${words.output}/${request.seed}.png`;
    if (words.format === 'png') await Deno.writeFile(file, await encodePng(toPixels(image)));
    images.push(image);
  }
  if (words.format === 'safetensors') {
    const data = new Float32Array(images.flatMap((image) => [...image.data]));
    const samples = { shape: [images.length, ...images[0]!.shape], data };
    await Deno.writeFile(
      `${words.output}/samples.safetensors`,
      writeTensors(new Map([['samples', samples]])),
    );
  }
  console.log(`${words.output}: ${images.length} samples`);
}

try {
  await draw();
} catch (error) {
  if (!(error instanceof UsageError || error instanceof RuntimeError)) throw error;
  console.error(`error: ${error.message}`);
  Deno.exit(2);
}
