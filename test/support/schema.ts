// Holds a value against a JSON schema: the keywords that docs/schemas use, and no others. An unknown keyword is a fault of
// the schema, not something to pass over. Source of the meanings: JSON Schema 2020-12, core and validation.

type Schema = Readonly<Record<string, unknown>>;

const SILENT = ['$schema', '$defs', 'title', 'description'];

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

const isType = (value: unknown, type: unknown): boolean =>
  typeOf(value) === type || (type === 'number' && typeof value === 'number');

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

type Check = (rule: unknown, value: unknown, at: string, top: Schema, whole: Schema) => string[];

const CHECKS: Record<string, Check> = {
  $ref: (rule, value, at, top) => {
    const name = /^#\/\$defs\/(\w+)$/.exec(String(rule))?.[1] ?? '';
    const target = (top.$defs as Record<string, Schema> | undefined)?.[name];
    if (!target) throw new Error(`the schema has no ${String(rule)}`);
    return faults(target, value, at, top);
  },
  type: (rule, value, at) =>
    [rule].flat().some((type) => isType(value, type))
      ? []
      : [`${at} is ${typeOf(value)}, not ${[rule].flat().join(' or ')}`],
  const: (rule, value, at) => (same(rule, value) ? [] : [`${at} is not ${JSON.stringify(rule)}`]),
  enum: (rule, value, at) =>
    (rule as unknown[]).some((one) => same(one, value)) ? [] : [`${at} is ${JSON.stringify(value)}, none of the list`],
  pattern: (rule, value, at) =>
    typeof value !== 'string' || new RegExp(String(rule), 'u').test(value)
      ? []
      : [`${at} does not match ${String(rule)}`],
  minimum: (rule, value, at) =>
    typeof value !== 'number' || value >= Number(rule) ? [] : [`${at} is below ${Number(rule)}`],
  required: (rule, value, at) =>
    typeOf(value) !== 'object'
      ? []
      : (rule as string[]).filter((key) => !(key in (value as object))).map((key) => `${at} lacks ${key}`),
  properties: (rule, value, at, top) =>
    typeOf(value) !== 'object'
      ? []
      : Object.entries(rule as Record<string, Schema>).flatMap(([key, schema]) =>
          key in (value as object) ? faults(schema, (value as Record<string, unknown>)[key], `${at}.${key}`, top) : [],
        ),
  items: (rule, value, at, top) =>
    Array.isArray(value) ? value.flatMap((item, n) => faults(rule as Schema, item, `${at}[${n}]`, top)) : [],
  anyOf: (rule, value, at, top) => {
    const tried = (rule as Schema[]).map((schema) => faults(schema, value, at, top));
    return tried.some((list) => list.length === 0)
      ? []
      : [`${at} fits none: ${tried.map((list) => list[0]).join('; ')}`];
  },
};

/** Everything that is wrong with a value; empty when it fits. Raises on a schema with a keyword that is not known here. */
export function faults(schema: Schema, value: unknown, at = '$', top: Schema = schema): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (SILENT.includes(keyword)) return [];
    const check = CHECKS[keyword];
    if (!check) throw new Error(`the schema uses ${keyword}, which is not known here`);
    return check(rule, value, at, top, schema);
  });
}

/** Keys of a value, at any depth, that the schema does not describe: forgotten in the documentation. */
export function undescribed(schema: Schema, value: unknown, at = '$', top: Schema = schema): string[] {
  const parts = branches(schema, top);
  if (Array.isArray(value)) {
    const items = parts.flatMap((part) => (part.items ? [part.items as Schema] : []));
    return value.flatMap((item, n) => undescribed({ anyOf: items }, item, `${at}[${n}]`, top));
  }
  if (typeOf(value) !== 'object') return [];
  return Object.entries(value as Record<string, unknown>).flatMap(([key, inner]) => {
    const known = parts.flatMap((part) => {
      const schemas = part.properties as Record<string, Schema> | undefined;
      return schemas?.[key] ? [schemas[key]] : [];
    });
    return known.length === 0 ? [`${at}.${key}`] : undescribed({ anyOf: known }, inner, `${at}.${key}`, top);
  });
}

/** A schema and everything it refers to or offers as alternatives. */
function branches(schema: Schema, top: Schema): Schema[] {
  const name = /^#\/\$defs\/(\w+)$/.exec(String(schema.$ref ?? ''))?.[1];
  const target = name === undefined ? [] : branches((top.$defs as Record<string, Schema>)[name] as Schema, top);
  const offered = ((schema.anyOf as Schema[] | undefined) ?? []).flatMap((one) => branches(one, top));
  return [schema, ...target, ...offered];
}
