import { Cursor } from '../bytes/cursor.ts';
import { readProtobufField } from '../bytes/protobuf.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import { MAX_NAME_BYTES } from '../limits.ts';
import type { ByteReader } from '../types.ts';

/** Fields of all messages that are looked at; a graph of 10,000 nodes has some 200,000. */
const MAX_FIELDS = 4_000_000;
/** Different files that a model names; real ones name one, or one a tensor. */
const MAX_EXTERNAL_FILES = 10_000;
/** Graphs inside of graphs; real ones have three or four. */
const MAX_DEPTH = 100;
const LOCATION_KEYS = new Set(['location', 'offset', 'length']);

/** Where a file that a model keeps tensors in must reach at least. */
export interface ExternalFile {
  /** As the model says it, relative to its own folder. */
  readonly location: string;
  /** The end of the last tensor in it; 0 when the model does not say. */
  readonly end: number;
}

export interface OnnxFile {
  readonly hasGraph: boolean;
  /** Which operators it is made of; writers put them behind the graph. */
  readonly hasOperators: boolean;
  /** Sorted. */
  readonly external: readonly ExternalFile[];
}

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'function' | 'entry';

/** The fields that hold messages on the way to a tensor. Source: onnx/onnx.proto */
const MESSAGES: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  function: { 7: 'node' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
  entry: {},
};
const GRAPH = 7;
const OPERATORS = 8;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

interface Open {
  readonly message: Message;
  readonly end: number;
  /** Of a tensor: what its entries say. */
  readonly entries: Map<string, string>;
  key?: string;
}

export interface ReadOnnxOptions {
  /** Whether to look into the graph for tensors in other files; else only the outermost parts are read. */
  readonly inside: boolean;
}

/**
 * Reads what an ONNX file is made of, without its tensors.
 * @throws EndsEarlyError when a part goes on behind the end, StructureError when it is no such file or goes beyond limits
 */
export async function readOnnx(reader: ByteReader, { inside }: ReadOnnxOptions): Promise<OnnxFile> {
  const cursor = new Cursor(reader, 0);
  const found = new Map<string, number>();
  const open: Open[] = [{ message: 'model', end: reader.size, entries: new Map() }];
  let [hasGraph, hasOperators] = [false, false];
  for (let fields = 0; open.length > 0; fields++) {
    const top = open.at(-1) as Open;
    if (cursor.offset >= top.end) {
      if (cursor.offset > top.end) throw new StructureError('a part is longer than what it is in');
      closeMessage(open.pop() as Open, open, found);
      continue;
    }
    if (fields > MAX_FIELDS) throw new StructureError('too many fields');
    const field = await readProtobufField(cursor);
    if (top.message === 'model') {
      hasGraph ||= field.number === GRAPH && field.isBytes;
      hasOperators ||= field.number === OPERATORS && field.isBytes;
    }
    if (!field.isBytes) continue;
    const end = cursor.offset + field.value;
    if (end > reader.size) throw new EndsEarlyError('a part goes on behind the end');
    if (end > top.end) throw new StructureError('a part is longer than what it is in');
    const message = inside ? MESSAGES[top.message][field.number] : undefined;
    if (open.length > MAX_DEPTH) throw new StructureError('its parts are nested too deeply');
    if (message !== undefined) open.push({ message, end, entries: new Map() });
    else if (top.message === 'entry' && field.value <= MAX_NAME_BYTES) await readEntry(cursor, field, top);
    else cursor.skip(field.value);
  }
  const external = [...found].map(([location, end]) => ({ location, end }));
  return { hasGraph, hasOperators, external: external.sort((a, b) => (a.location < b.location ? -1 : 1)) };
}

async function readEntry(cursor: Cursor, field: { number: number; value: number }, entry: Open): Promise<void> {
  await cursor.fill(field.value);
  const text = new TextDecoder().decode(cursor.take(field.value));
  if (field.number === ENTRY_KEY) entry.key = text;
  if (field.number === ENTRY_VALUE) entry.entries.set('value', text);
}

/** An entry tells its tensor a key and a value; a tensor that has a location is in another file. */
function closeMessage(closed: Open, open: readonly Open[], found: Map<string, number>): void {
  const tensor = open.at(-1);
  if (closed.message === 'entry' && tensor !== undefined && LOCATION_KEYS.has(closed.key ?? '')) {
    tensor.entries.set(closed.key as string, closed.entries.get('value') ?? '');
  }
  if (closed.message !== 'tensor') return;
  const location = closed.entries.get('location');
  if (location === undefined) return;
  if (!found.has(location) && found.size >= MAX_EXTERNAL_FILES) throw new StructureError('too many files are named');
  const [offset, length] = ['offset', 'length'].map((key) => Number(closed.entries.get(key) ?? 0));
  const end = (offset as number) + (length as number);
  found.set(location, Math.max(found.get(location) ?? 0, Number.isSafeInteger(end) && end >= 0 ? end : 0));
}
