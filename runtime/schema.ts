// Schemas of JSON documents: what a value must be, as a type for the compiler and as a check at run time, which names every
// place that is off. The runtime has its own because a page loads it: zod, which checks what people write in graphs, is
// larger than all of the sampler.

/** Told of a fault: its place as a JSON pointer (RFC 6901), and what is off. */
export type Fault = (at: string, message: string) => void;

declare const TYPE: unique symbol;

/** What a value must be. */
export interface Schema<T> {
  /** As a message says it: `a whole number`. */
  readonly expected: string;
  /** Tells every fault of a value. */
  find(value: unknown, at: string, fault: Fault): void;
  readonly [TYPE]?: T;
}

/** The type of the values of a schema. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** A value that is the same whenever it is there. */
export interface Literal<T> extends Schema<T> {
  readonly value: T;
}

/** The value of a key that an object may not have. */
export interface Optional<T> extends Schema<T> {
  readonly optional: true;
}

type Shape = Readonly<Record<string, Schema<unknown>>>;

type OptionalKeys<S extends Shape> = { [K in keyof S]: S[K] extends Optional<unknown> ? K : never }[keyof S];

type Fields<S extends Shape> = { readonly [K in Exclude<keyof S, OptionalKeys<S>>]: Infer<S[K]> } & {
  readonly [K in OptionalKeys<S>]?: Infer<S[K]>;
};

/** An object with these keys and no others. */
export interface ObjectSchema<S extends Shape> extends Schema<{ [K in keyof Fields<S>]: Fields<S>[K] }> {
  readonly shape: S;
}

/** A value of which one thing is asked. */
function value<T>(expected: string, holds: (value: unknown) => boolean): Schema<T> {
  return {
    expected,
    find: (value, at, fault) => {
      if (!holds(value)) fault(at, `found ${shown(value)}, expected ${expected}`);
    },
  };
}

export const text: Schema<string> = value('a text', (value) => typeof value === 'string');

export const flag: Schema<boolean> = value('true or false', (value) => typeof value === 'boolean');

export const number: Schema<number> = value('a number', Number.isFinite);

export const anything: Schema<unknown> = value('anything', () => true);

export const positiveNumber: Schema<number> = value(
  'a number above 0',
  (value) => Number.isFinite(value) && Number(value) > 0,
);

export const numberFromZero: Schema<number> = value(
  'a number of at least 0',
  (value) => Number.isFinite(value) && Number(value) >= 0,
);

/** A whole number that a float64 tells from its neighbours. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): Schema<number> {
  const upTo = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return value(
    `a whole number ${upTo}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
  );
}

export function textLike(pattern: RegExp): Schema<string> {
  return value(`a text like ${pattern}`, (value) => typeof value === 'string' && pattern.test(value));
}

export function literal<const T extends string | number>(only: T): Literal<T> {
  return { ...value<T>(JSON.stringify(only), (value) => value === only), value: only };
}

export function oneOf<const W extends readonly string[]>(words: W): Schema<W[number]> {
  return value(`one of ${words.join(', ')}`, (value) => words.includes(value as string));
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  const find: Schema<T>['find'] = (value, ...to) => value === null || schema.find(value, ...to);
  return { expected: `${schema.expected}, or null`, find };
}

export function optional<T>(schema: Schema<T>): Optional<T> {
  return { ...schema, optional: true };
}

/** A list of so many items. */
export function list<T>(item: Schema<T>, least = 0, most = Number.POSITIVE_INFINITY): Schema<readonly T[]> {
  const bounds = [
    ...(least > 0 ? [` of at least ${least}`] : []),
    ...(most < Number.POSITIVE_INFINITY ? [` of at most ${most}`] : []),
  ];
  const expected = `a list${bounds.join(' and')}`;
  return {
    expected,
    find(value, at, fault) {
      if (!Array.isArray(value) || value.length < least || value.length > most)
        fault(at, `found ${shown(value)}, expected ${expected}`);
      else for (const [i, one] of value.entries()) item.find(one, `${at}/${i}`, fault);
    },
  };
}

/** A list with an item for each schema. */
export function tuple<const S extends readonly Schema<unknown>[]>(
  ...items: S
): Schema<{ readonly [K in keyof S]: Infer<S[K]> }> {
  const expected = `a list of ${items.length}`;
  return {
    expected,
    find(value, at, fault) {
      if (!Array.isArray(value) || value.length !== items.length)
        fault(at, `found ${shown(value)}, expected ${expected}`);
      else for (const [i, item] of items.entries()) item.find(value[i], `${at}/${i}`, fault);
    },
  };
}

/** An object whose keys are anything. */
export function record<T>(item: Schema<T>): Schema<Readonly<Record<string, T>>> {
  const expected = 'an object';
  return {
    expected,
    find(value, at, fault) {
      if (!isObject(value)) return fault(at, `found ${shown(value)}, expected ${expected}`);
      for (const [key, one] of Object.entries(value)) item.find(one, below(at, key), fault);
    },
  };
}

export function object<S extends Shape>(shape: S): ObjectSchema<S> {
  const expected = `an object of ${Object.keys(shape).join(', ')}`;
  const fields = Object.entries(shape);
  return {
    expected,
    shape,
    find(value, at, fault) {
      if (!isObject(value)) return fault(at, `found ${shown(value)}, expected ${expected}`);
      for (const [key, schema] of fields) {
        if (Object.hasOwn(value, key)) schema.find(value[key], below(at, key), fault);
        else if (!('optional' in schema)) fault(below(at, key), `it is missing, expected ${schema.expected}`);
      }
      for (const key of Object.keys(value))
        if (!Object.hasOwn(shape, key)) fault(below(at, key), `no such key, expected ${expected}`);
    },
  };
}

/** One of several: the first whose schema finds nothing. */
export function either<const S extends readonly Schema<unknown>[]>(...schemas: S): Schema<Infer<S[number]>> {
  const expected = schemas.map((schema) => schema.expected).join(', or ');
  return value(expected, (value) =>
    schemas.some((schema) => {
      let sound = true;
      schema.find(value, '', () => {
        sound = false;
      });
      return sound;
    }),
  );
}

/** One of several objects, told apart by the literal under a key. */
export function tagged<
  K extends string,
  const S extends readonly ObjectSchema<Shape & { readonly [key in K]: Literal<string> }>[],
>(key: K, schemas: S): Schema<Infer<S[number]>> {
  const byTag = new Map<unknown, Schema<unknown>>(schemas.map((schema) => [schema.shape[key].value, schema]));
  const tags = [...byTag.keys()].join(', ');
  return {
    expected: `an object whose ${key} is one of ${tags}`,
    find(value, at, fault) {
      if (!isObject(value)) return fault(at, `found ${shown(value)}, expected an object`);
      const schema = byTag.get(value[key]);
      if (schema === undefined) fault(below(at, key), `found ${shown(value[key])}, expected one of ${tags}`);
      else schema.find(value, at, fault);
    },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function below(at: string, key: string): string {
  return `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A value in a message. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
