import type { Document } from '../documents/scalars.ts';
import { ConfigProblem, ConfigReader } from './config-reader.ts';
import { FAMILIES } from './families/families.ts';
import { findQuantised, type QuantScheme, schemeOf } from './quantisation.ts';
import { type CheckResult, configResult, type FamilyLayout, type FoundTensor, type LayoutRow } from './types.ts';

/** Names that a detail lists; how many more there are is said. */
const MAX_NAMED = 4;

/**
 * Compares what a `config.json` asks for with the tensors that the weights hold, by name and shape.
 * @param config - as it was parsed; nothing in it is believed
 * @param tensors - of all files of the weights together
 */
export function checkConfig(config: Document, tensors: readonly FoundTensor[]): CheckResult {
  const reader = new ConfigReader(config);
  const type = reader.text('model_type');
  const family = FAMILIES.find(({ modelTypes }) => type !== undefined && modelTypes.includes(type));
  if (family === undefined) {
    const known = FAMILIES.flatMap(({ modelTypes }) => modelTypes).join(', ');
    const what = type === undefined ? 'names no model_type' : `is of the family ${JSON.stringify(type.slice(0, 64))}`;
    return configResult('skipped', `config.json ${what}; the tensors of ${known} are known.`);
  }
  try {
    const scheme = schemeOf(reader);
    if (scheme !== undefined && 'unknown' in scheme) {
      return configResult(
        'skipped',
        `The weights are quantised by ${JSON.stringify(scheme.unknown.slice(0, 64))}, whose names are not known.`,
      );
    }
    return judge(compare(family.layout(reader), tensors, scheme, reader), family.name, tensors.length, scheme?.name);
  } catch (error) {
    if (!(error instanceof ConfigProblem)) throw error;
    return configResult('failed', `config.json makes no sense: ${error.message}`);
  }
}

/** How weights differ from their configuration. */
interface Comparison {
  readonly missing: string[];
  readonly wrong: string[];
  readonly unexpected: string[];
}

function compare(
  layout: FamilyLayout,
  tensors: readonly FoundTensor[],
  scheme: QuantScheme | undefined,
  config: ConfigReader,
): Comparison {
  const found = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const prefix = prefixOf(layout, found, scheme);
  const search: Search = { found, scheme, seen: new Set(), result: { missing: [], wrong: [], unexpected: [] } };
  for (const row of layout.once) findRow(search, row, (name) => prefix + name);
  for (let i = 0; i < layout.layers; i++) {
    for (const row of layout.layer) findRow(search, row, (name) => prefix + name.replace('{i}', `${i}`));
  }
  const isForWords = isGenerator(config, prefix);
  for (const row of layout.head) findRow(search, isForWords ? row : { ...row, isOptional: true }, (name) => name);
  for (const name of found.keys()) {
    if (search.seen.has(name) || layout.known.some((pattern) => pattern.test(name))) continue;
    // A model for a task of its own has parts that only its code knows, beside the backbone.
    const isBeside = !isForWords && prefix !== '' && !name.startsWith(prefix);
    if (!isBeside && !isExtra(search, name)) search.result.unexpected.push(name);
  }
  return search.result;
}

/** Whether it is a model that generates words, which has a head for them. */
function isGenerator(config: ConfigReader, prefix: string): boolean {
  const [architecture] = config.texts('architectures');
  if (prefix === '') return false;
  return architecture === undefined || /For(?:CausalLM|ConditionalGeneration)$|LMHeadModel$/.test(architecture);
}

interface Search {
  readonly found: ReadonlyMap<string, FoundTensor>;
  readonly scheme: QuantScheme | undefined;
  /** The names that belong to the layout. */
  readonly seen: Set<string>;
  readonly result: Comparison;
}

/** The prefix under which most of the first layer is found. */
function prefixOf(
  { prefixes, once, layer }: FamilyLayout,
  found: Search['found'],
  scheme: QuantScheme | undefined,
): string {
  const names = [...once, ...layer].map(({ name }) => name.replace('{i}', '0'));
  const suffixes = ['weight', ...(scheme?.parts?.(1, 1).map(({ suffix }) => suffix) ?? [])];
  const score = (prefix: string) =>
    names.filter((name) => suffixes.some((suffix) => found.has(prefix + name.replace(/weight$/, suffix)))).length;
  return prefixes.reduce((best, prefix) => (score(prefix) > score(best) ? prefix : best));
}

/** @param nameOf - makes a row's name one of the weights */
function findRow(search: Search, row: LayoutRow, nameOf: (name: string) => string): void {
  const { found, seen, scheme, result } = search;
  const names = [row.name, row.formerName].filter((name) => name !== undefined).map(nameOf);
  const tensor = names.map((name) => found.get(name)).find((one) => one !== undefined);
  if (tensor !== undefined) seen.add(tensor.name);
  if (tensor !== undefined && tensor.shape.join() === row.shape.join()) return;
  if (scheme !== undefined && row.shape.length === 2 && row.name.endsWith('.weight')) {
    const layer = nameOf(row.name).slice(0, -'weight'.length);
    const { missing, wrong } = findQuantised(scheme, layer, row.shape, (part) => {
      if (found.has(part)) seen.add(part);
      return found.get(part);
    });
    if (scheme.parts !== undefined && missing.length === 0) {
      result.wrong.push(...wrong.map((part) => wrongText(part.name, part.shape, part.expected)));
      return;
    }
  }
  if (tensor !== undefined) result.wrong.push(wrongText(tensor.name, tensor.shape, row.shape));
  else if (row.isOptional !== true) result.missing.push(nameOf(row.name));
}

/** What quantising leaves beside a layer's weight. */
function isExtra({ scheme, found, seen }: Search, name: string): boolean {
  if (scheme === undefined) return false;
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    if (!scheme.extra.test(name.slice(dot + 1))) continue;
    const layer = name.slice(0, dot + 1);
    return ['weight', 'qweight', 'weight_packed'].some((part) => seen.has(layer + part) || found.has(layer + part));
  }
  return false;
}

function wrongText(name: string, shape: readonly number[], expected: readonly number[]): string {
  return `${name} is [${shape.join(', ')}] and should be [${expected.join(', ')}]`;
}

function judge(
  { missing, wrong, unexpected }: Comparison,
  family: string,
  count: number,
  scheme: string | undefined,
): CheckResult {
  const problems = [listed('Missing', missing), listed('Wrong shape', wrong), listed('Unexpected', unexpected)];
  const detail = problems.filter((text) => text !== undefined).join(' ');
  if (missing.length + wrong.length > 0) return configResult('failed', detail);
  if (unexpected.length > 0) return configResult('warning', detail);
  const how = scheme === undefined ? '' : `, quantised by ${scheme}`;
  return configResult('passed', `${count} tensors are those of ${family}${how}.`);
}

function listed(what: string, items: readonly string[]): string | undefined {
  if (items.length === 0) return undefined;
  const more = items.length > MAX_NAMED ? ` and ${items.length - MAX_NAMED} more` : '';
  return `${what}: ${items.slice(0, MAX_NAMED).join(', ')}${more}.`;
}
