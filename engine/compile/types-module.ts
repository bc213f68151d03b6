// The typed module of a bundle: `bundle.d.ts` says what it takes, gives and is made of, `bundle.js` loads it.

import {
  IndentationText,
  NewLineKind,
  type OptionalKind,
  Project,
  type PropertySignatureStructure,
  QuoteKind,
  type StatementStructures,
  StructureKind,
} from 'ts-morph';
import type { InputPort, Manifest } from '../../runtime/bundle.ts';
import { MODULE_FILE, MODULE_MARK, TYPES_FILE } from './bundle-folder.ts';

type Property = OptionalKind<PropertySignatureStructure>;

/** The files of the module by name. The same manifest gives the same bytes. */
export function typesModule(manifest: Manifest): ReadonlyMap<string, string> {
  return new Map([
    [TYPES_FILE, writeTypes(manifest)],
    [MODULE_FILE, MODULE],
  ]);
}

const MODULE = `${MODULE_MARK}

import { fileURLToPath } from 'node:url';
import { load as loadFolder } from 'unetc';

const folder = fileURLToPath(new URL('.', import.meta.url)).slice(0, -1);

export function load(options) {
  return loadFolder(folder, options);
}
`;

function writeTypes(manifest: Manifest): string {
  const project = new Project({
    useInMemoryFileSystem: true,
    manipulationSettings: {
      indentationText: IndentationText.TwoSpaces,
      newLineKind: NewLineKind.LineFeed,
      quoteKind: QuoteKind.Single,
    },
  });
  const file = project.createSourceFile(TYPES_FILE);
  file.addImportDeclaration({
    moduleSpecifier: 'unetc',
    isTypeOnly: true,
    namedImports: ['BundleLoadOptions', 'LoadedModel', 'ShapedTensor'],
  });
  file.addStatements(statements(manifest));
  return `${MODULE_MARK}\n\n${file.getFullText()}`;
}

function statements(manifest: Manifest): StatementStructures[] {
  const { batch, image_size, inputs, outputs, parameters } = manifest;
  const taps = outputs.map(({ name }) => name).filter((name) => name !== 'output' && name !== 'gradient');
  const outputsOf = outputs.map(({ name, shape }) => property(name, tensor(shape)));
  const weights = parameters.map(({ name, shape }) => property(name, tuple(shape)));
  return [
    alias('Batch', String(batch), 'Images in a forward pass.'),
    alias('ImageSize', tuple(image_size), 'Slowest dimension first.'),
    members('Inputs', inputs.map(inputProperty), 'What a forward pass takes.'),
    members('Outputs', outputsOf, 'What a forward pass gives.'),
    alias('Tap', taps.map(quote).join(' | ') || 'never', 'Names of the feature vectors among the outputs.'),
    members('WeightShapes', weights, 'Every weight with its shape, in checkpoint order.'),
    alias('WeightName', 'keyof WeightShapes', 'Names of the weights.'),
    alias('Model', 'LoadedModel<Inputs, Outputs>', 'The bundle, ready to run.'),
    {
      kind: StructureKind.Function,
      name: 'load',
      isExported: true,
      hasDeclareKeyword: true,
      parameters: [{ name: 'options', type: 'BundleLoadOptions' }],
      returnType: 'Promise<Model>',
      docs: ['Opens the bundle of this folder with its weights, on the adapter that is here.'],
    },
  ];
}

function inputProperty(port: InputPort): Property {
  const { name, encoding, shape } = port;
  const [samples] = shape;
  switch (encoding) {
    case 'image':
      return property(name, tensor(shape), '[batch, channels, ...size].');
    case 'timestep':
      return property(name, 'ArrayLike<number>', `${samples}, one a sample; fractions are allowed.`);
    case 'label':
      return property(
        name,
        'ArrayLike<number>',
        `${samples} labels from 0 to ${port.classes - 1}, one a sample.`,
      );
    case 'plain':
      return property(name, `${tensor(shape)} | ArrayLike<number>`, `[${shape.join(', ')}], row-major.`);
  }
}

function alias(name: string, type: string, doc: string): StatementStructures {
  return { kind: StructureKind.TypeAlias, name, type, isExported: true, docs: [doc] };
}

function members(name: string, properties: Property[], doc: string): StatementStructures {
  return { kind: StructureKind.Interface, name, properties, isExported: true, docs: [doc] };
}

function property(name: string, type: string, doc?: string): Property {
  const plain = /^[A-Za-z_]\w*$/.test(name);
  return { name: plain ? name : quote(name), type, isReadonly: true, ...(doc ? { docs: [doc] } : {}) };
}

function tensor(shape: readonly number[]): string {
  return `ShapedTensor<${tuple(shape)}>`;
}

function tuple(shape: readonly number[]): string {
  return `readonly [${shape.join(', ')}]`;
}

/** A name as a literal; names in bundles come from the compiler and hold no quotes. */
function quote(name: string): string {
  return `'${name}'`;
}
