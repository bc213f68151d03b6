// Graph files: bytes that are no text, text that is no JSON, JSON that is no graph, graphs that are too much, and modules
// that are more than constants.

import { bad, type HostileCase } from './case.ts';
import { many, published, small } from './corpus.ts';

/** A file that `validate` refuses with exit 3, naming a place in it. */
function refused(
  name: string,
  content: string | Uint8Array,
  says: string | readonly string[],
  file = 'g.json',
): HostileCase {
  const places = typeof says === 'string' ? [says] : says;
  return bad(`graph: ${name}`, `validate ${file}`, 3, [file, ...places], {
    files: { [file]: () => content },
  });
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const TEXTS: readonly HostileCase[] = [
  refused('an empty file', '', 'G001'),
  refused('white space alone', '  \n\t ', 'G001'),
  refused('null', 'null', 'an object'),
  refused('a number', '42', 'g.json'),
  refused('a list', '[]', 'an object'),
  refused('a string', '"unet"', 'an object'),
  refused('a byte order mark', `\ufeff${small()}`, 'byte order mark'),
  refused('UTF-16', new Uint8Array(Buffer.from(`\ufeff${small()}`, 'utf16le')), 'UTF-8'),
  refused('bytes that are no UTF-8', bytes(0x7b, 0xff, 0xfe, 0x7d), 'UTF-8'),
  refused('zeros', new Uint8Array(1000), 'G001'),
  refused('a zip archive', bytes(0x50, 0x4b, 3, 4, 0xff, 0xff), 'checkpoint'),
  refused('20 MB of spaces', many(' ', 20_000_000), 'at most'),
  refused('text that breaks off', small().slice(0, 80), 'line'),
  refused('two documents', `${small()}${small()}`, 'line'),
  refused('a trailing comma', small().replace('"unet"', '"unet",,'), 'line'),
  refused('a comment', `// graph\n${small()}`, 'line 1'),
  refused('single quotes', small().replaceAll('"', "'"), 'line'),
  refused('a key that stands twice', small().replace('"name"', '"name": "a", "name"'), 'G002'),
  refused('__proto__', small().replace('"name"', '"__proto__": {}, "name"'), '__proto__'),
  refused('constructor', small().replace('"name"', '"constructor": {}, "name"'), 'constructor'),
  refused('a control character in a text', small().replace('small', 'sm\u0001all'), 'line'),
  refused('a lone surrogate in a name', small().replace('small', '\\ud800'), 'name'),
  refused(
    'an escape for a terminal in a key',
    small().replace('"name"', '"\\u001b[2J": 1, "name"'),
    '\\u{1b}[2J',
  ),
  refused('a number beyond doubles', small().replace('"image_size": 8', '"image_size": 1e999'), 'image_size'),
  refused('a number with a leading zero', small().replace('"image_size": 8', '"image_size": 08'), 'line'),
  refused('lists 100,000 deep', nested(100_000), 'deep'),
  refused('objects 50,000 deep', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 'deep'),
  refused('NaN', small().replace('"image_size": 8', '"image_size": NaN'), 'line'),
];

const FIELDS: readonly HostileCase[] = [
  refused('no version', small({ version: undefined }), 'version'),
  refused('version 2', small({ version: 2 }), '/version'),
  refused('a version as text', small({ version: '1' }), '/version'),
  refused('no name', small({ name: '' }), '/name'),
  refused('a name of 10,000 characters', small({ name: 'a'.repeat(10_000) }), '/name'),
  refused('no image size', small({ image_size: undefined }), 'image_size'),
  refused('image size 0', small({ image_size: 0 }), '/image_size'),
  refused('image size -8', small({ image_size: -8 }), '/image_size'),
  refused('image size 8.5', small({ image_size: 8.5 }), '/image_size'),
  refused('image size 2^53', small({ image_size: 2 ** 53 }), '/image_size'),
  refused('image sizes of one dimension for two', small({ image_size: [8] }), '/image_size'),
  refused('image sizes in four dimensions', small({ image_size: [8, 8, 8, 8] }), '/image_size'),
  refused('no channels', small({}, { in_channels: 0 }), '/unet/in_channels'),
  refused('channels as text', small({}, { in_channels: '3' }), '/unet/in_channels'),
  refused('a billion channels', small({}, { model_channels: 1e9 }), '/unet/model_channels'),
  refused('a width that no norm divides', small({}, { model_channels: 33 }), '/unet/model_channels'),
  refused('no levels', small({}, { channel_mult: [] }), '/unet/channel_mult'),
  refused(
    'a thousand levels',
    small({}, { channel_mult: Array.from({ length: 1000 }, () => 1) }),
    '/unet/channel_mult',
  ),
  refused('a level of width 0', small({}, { channel_mult: [0] }), '/unet/channel_mult'),
  refused('no residual blocks', small({}, { num_res_blocks: 0 }), '/unet/num_res_blocks'),
  refused(
    'heads that do not divide',
    small({}, { num_heads: 7, attention_resolutions: [1] }),
    '/unet/num_heads',
  ),
  refused('dropout 1', small({}, { dropout: 1 }), '/unet/dropout'),
  refused('dropout as a list', small({}, { dropout: [0.1] }), '/unet/dropout'),
  refused('dims 4', small({}, { dims: 4 }), '/unet/dims'),
  refused('classes -1', small({}, { num_classes: -1 }), '/unet/num_classes'),
  refused(
    'a size that cannot be halved',
    small({ image_size: 9 }, { channel_mult: [1, 1, 1] }),
    '/image_size',
  ),
  refused('a key that nobody knows', small({}, { num_head: 4 }), 'num_heads'),
  refused(
    'a keyword of the original that is elsewhere here',
    small({}, { learn_sigma: true }),
    'out_channels',
  ),
  refused('two families at once', small({ adm: {} }), 'adm'),
  refused('no family', small({ unet: undefined }).replace(/,?\s*"unet": \{[^}]*\}/, ''), 'unet'),
  refused('a family that is a list', small().replace(/"unet": \{[^}]*\}/, '"unet": []'), '/unet'),
  refused('one step', small({ diffusion: { steps: 1 } }), '/diffusion/steps'),
  refused(
    'a schedule that nobody knows',
    small({ diffusion: { noise_schedule: 'sigmoid' } }),
    '/diffusion/noise_schedule',
  ),
  refused(
    'betas that fall',
    small({ diffusion: { noise_schedule: 'linear', beta_start: 0.5, beta_end: 0.1 } }),
    '/diffusion/beta',
  ),
  refused(
    'a learned variance without its channels',
    small({ diffusion: { variance: 'learned' } }),
    '/diffusion/variance',
  ),
  refused('a low-resolution size of 0', small({ super_resolution: { low_res_size: 0 } }), 'low_res_size'),
  refused('budgets that are no numbers', small({ budgets: { parameters: 'few' } }), '/budgets'),
  refused(
    'blocks that are none',
    JSON.stringify({ version: 1, name: 'a', image_size: 8, blocks: 5 }),
    '/blocks',
  ),
  refused('$schema as a number', small({ $schema: 5 }), '/$schema'),
];

/** Other commands that take a graph refuse it alike. */
const COMMANDS: readonly HostileCase[] = [
  'expand g.json',
  'stats g.json',
  'compile g.json -o out',
  'compile g.json --emit kernels',
  'graph g.json -o out.svg',
  'check g.json w.safetensors',
  'export g.json --weights hash:1 -o out.onnx',
  'run g.json --weights hash:1 --inputs in.safetensors -o out.safetensors --reference',
  'sample g.json --weights hash:1 --seeds 0 -o out --reference',
  'diff g.json g.json',
  'drift g.json g.json --weights hash:1 --reference',
  'report g.json',
].map((words) =>
  bad(`graph: a bad one, ${words}`, words, 3, 'g.json', {
    files: { 'g.json': () => '{"version": 1}' },
  }),
);

const MODULE = (body: string, before = '') =>
  `import { defineUNet } from 'unetc';\n${before}\nexport default ${body};\n`;
const unet = (changes = '') =>
  `{ version: 1, name: 'm', image_size: 8, unet: { in_channels: 1, model_channels: 32, out_channels: 1, num_res_blocks: 1, attention_resolutions: [], channel_mult: [1] ${changes} } }`;
const module = (name: string, text: string, says: string | readonly string[]) =>
  refused(`module: ${name}`, text, says, 'g.ts');

const MODULES: readonly HostileCase[] = [
  module('an empty file', '', 'no default export'),
  module('no TypeScript', 'export default {{{', 'line'),
  module('an export of an object', `export default ${unet()};`, 'no call'),
  module('another function', MODULE(`other(${unet()})`), 'other'),
  module(
    'a function of the same name from elsewhere',
    `const defineUNet = (x) => x; export default defineUNet(${unet()});`,
    'defineUNet',
  ),
  module('two arguments', MODULE(`defineUNet(${unet()}, 1)`), '2 arguments'),
  module('no argument', MODULE('defineUNet()'), '0 arguments'),
  module('a call', MODULE(`defineUNet(${unet(', dropout: Math.random()')})`), 'Math.random()'),
  module('a read of the environment', MODULE(`defineUNet(${unet(', dropout: process.env.X')})`), 'process'),
  module('a name that is not there', MODULE(`defineUNet(${unet(', dropout: missing')})`), 'missing'),
  module('a constant made of itself', MODULE('defineUNet(a)', 'const a = { ...a };'), 'made of itself'),
  module(
    'two constants made of each other',
    MODULE('defineUNet(a)', 'const a = { ...b }; const b = { ...a };'),
    'made of itself',
  ),
  module('a let', MODULE(`defineUNet(${unet(', dropout: d')})`, 'let d = 0;'), 'd'),
  module('a computed key', MODULE(`defineUNet({ ['version']: 1 })`), 'key'),
  module('a getter', MODULE('defineUNet({ get version() { return 1; } })'), 'g.ts'),
  module('a function as a value', MODULE('defineUNet({ version: () => 1 })'), '/version'),
  module('division by zero', MODULE(`defineUNet(${unet(', dropout: 1 / 0')})`), '/unet/dropout'),
  module(
    'a sum nested 3,000 deep',
    MODULE(`defineUNet(${unet(`, dropout: ${'('.repeat(3000)}0${')'.repeat(3000)}`)})`),
    'deep',
  ),
  module('spreads that double 30 times', MODULE('defineUNet(a29)', doubling(30)), '50000'),
  module('a template of an object', MODULE(`defineUNet({ name: \`\${{}}\` })`), '/name'),
  module('__proto__', MODULE('defineUNet({ __proto__: { version: 1 } })'), '__proto__'),
  module('a fault of the graph', MODULE(`defineUNet(${unet(', dims: 9')})`), '/unet/dims'),
];

function doubling(times: number): string {
  const lists = Array.from(
    { length: times },
    (_, i) => `const a${i} = [${i === 0 ? '1' : `...a${i - 1}, ...a${i - 1}`}];`,
  );
  return lists.join('\n');
}

/** Much of what is wrong in small ways; the files alone have megabytes. */
const LARGE: readonly HostileCase[] = [
  refused('a key of 60,000 characters', small({ ['k'.repeat(60_000)]: 1 }), 'kkk'),
  refused(
    '100,000 keys that nobody knows',
    small(Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1]))),
    'more',
  ),
  refused('100,000 comments', `${many('// a\n', 500_000)}${small()}`, 'line'),
  refused(
    'a list of a million numbers',
    small({ image_size: Array.from({ length: 1_000_000 }, () => 8) }),
    '/image_size',
  ),
  refused('2,000 blocks that are wrong', explicit(2000), 'more'),
].map((one) => ({ ...one, megabytes: 260 }));

/** An explicit form with blocks of a layer that nobody knows. */
function explicit(blocks: number): string {
  const input = Array.from({ length: blocks }, () => ({ layers: [{ type: 'convolution' }] }));
  return JSON.stringify({
    ...published('mnist'),
    unet: undefined,
    blocks: { input, middle: input[0], output: [] },
  });
}

/** Graphs that are sound and too much for what is asked of them. */
const BEYOND: readonly HostileCase[] = [
  bad('graph: beyond what generic reaches', 'compile g.json -o out', 3, 'g.json', {
    files: { 'g.json': () => small({ image_size: 65536 }) },
  }),
  bad('graph: a size that its levels cannot take', 'stats g.json --size 9x9', 3, '9', {
    files: { 'g.json': () => small({ image_size: 8 }, { channel_mult: [1, 1] }) },
  }),
  bad('graph: more memory than the limit', 'compile g.json -o out --memory 1KB', 2, '--memory', {
    files: { 'g.json': () => small() },
  }),
];

export const GRAPH_CASES: readonly HostileCase[] = [
  ...TEXTS,
  ...FIELDS,
  ...COMMANDS,
  ...MODULES,
  ...LARGE,
  ...BEYOND,
];
