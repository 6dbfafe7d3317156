import { bytesReader, sliceReader, startsWith } from '../bytes/byte-readers.ts';
import type { Cursor } from '../bytes/cursor.ts';
import { latin1Bytes } from '../bytes/latin1.ts';
import { joblibArrays } from '../pickle/joblib-arrays.ts';
import { type PickleWalk, walkInput, walkPickle } from '../pickle/walk-pickle.ts';
import type { ByteReader } from '../types.ts';
import { type Findings, mergeFindings, PLAIN_CODE, suspiciousNames } from './findings.ts';
import type { ScanContent, ScanJob } from './scan-job.ts';

/** Pickles one after the other in one file: torch's old format has five, loggers write one for each record. */
const MAX_PICKLES = 10_000;
/** An array of objects in an array of objects, and so on. */
const MAX_NESTED_ARRAYS = 16;
/** What is unpickled out of bytes within a pickle. */
const MAX_EMBEDDED_BYTES = 32 * 1024 * 1024;
/** Imports that load a pickle from bytes that they are given. What they load is looked into instead. */
const LOADS_FROM_BYTES = 'torch.storage._load_from_bytes';

/** What is known of a file before its first byte is read as a pickle. */
export interface PickleHints {
  /** Whether its name says that it is one, so that a tool will try to load it whatever it holds. */
  readonly expected: boolean;
}

/**
 * The findings of a file that a tool may load as a pickle; undefined when no part of it would be run. Walked twice where
 * joblib has put arrays into it: as joblib reads it, moving over them, and as Python alone does, which runs into them.
 */
export async function scanPickles(
  job: ScanJob,
  reader: ByteReader,
  { expected }: PickleHints,
): Promise<Findings | undefined> {
  const walks = await walkAll(job, reader);
  const [first] = walks;
  if (first === undefined || !isPickle(first, await reader.read(0, Math.min(2, reader.size)), expected))
    return undefined;
  const parts: Findings[] = [PLAIN_CODE];
  for (const walk of walks) {
    const imports = walk.imports.filter(({ module, name }) => `${module}.${name}` !== LOADS_FROM_BYTES);
    parts.push({ isCode: true, suspicious: [...suspiciousNames(imports), ...problemOf(walk, expected)] });
    parts.push(...(await scanConstants(job, reader, walk)));
  }
  return mergeFindings(parts);
}

/** The pickles of a file in order; after a broken one there is none that a loader would reach. */
async function walkAll(job: ScanJob, reader: ByteReader): Promise<PickleWalk[]> {
  const walks: PickleWalk[] = [];
  let start = 0;
  while (walks.length < MAX_PICKLES && start < reader.size) {
    const walk = await walkPickle(reader, start, { signal: job.signal });
    const asJoblib = isJoblib(walk) ? await walkJoblib(job, reader, start) : [];
    const whole = asJoblib[0]?.outcome === 'stop' ? { ...walk, outcome: 'stop' as const } : walk;
    // What follows whole pickles is mostly raw bytes, which torch and others put there.
    if (walks.length > 0 && whole.outcome !== 'stop') break;
    walks.push(whole, ...asJoblib);
    if (walk.outcome !== 'stop') break;
    start = walk.end;
  }
  return walks;
}

function isJoblib({ imports }: PickleWalk): boolean {
  return imports.some(({ module }) => module.startsWith('joblib.'));
}

async function walkJoblib({ signal }: ScanJob, reader: ByteReader, start: number): Promise<PickleWalk[]> {
  const nested: PickleWalk[] = [];
  const hook = (depth: number): ReturnType<typeof joblibArrays> =>
    joblibArrays(async (input: Cursor) => {
      if (depth >= MAX_NESTED_ARRAYS || nested.length >= MAX_PICKLES) return;
      nested.push(await walkInput(input, { signal, afterBuild: hook(depth + 1) }));
    });
  const outer = await walkPickle(reader, start, { signal, afterBuild: hook(0) });
  return [outer, ...nested];
}

/** Whether loading gets as far as to import something, or the file is a whole pickle, or begins as none but pickles do. */
function isPickle(walk: PickleWalk, head: Uint8Array, expected: boolean): boolean {
  if (expected) return walk.imports.length > 0 || walk.outcome !== 'broken';
  const hasProtocol = startsWith(head, [0x80]) && (head[1] ?? 0xff) <= 5;
  if (hasProtocol) return walk.imports.length > 0 || walk.outcome !== 'broken';
  // Many a text begins with letters that are opcodes, too; none goes on to import, call and stop.
  return walk.imports.length > 0 && walk.calls && walk.outcome === 'stop';
}

function problemOf({ outcome, problem, end, imports }: PickleWalk, expected: boolean): string[] {
  if (outcome === 'stop' || (!expected && imports.length === 0)) return [];
  return [`(a pickle that cannot be read further than byte ${end}: ${problem})`];
}

/** Pickles within a pickle: as bytes for a function that loads them, which the outer walk does not see. */
async function scanConstants(job: ScanJob, reader: ByteReader, walk: PickleWalk): Promise<Findings[]> {
  const loads = walk.imports.some(({ module, name }) => `${module}.${name}` === LOADS_FROM_BYTES);
  const parts: Findings[] = [];
  for (const { offset, length, text } of walk.constants) {
    if (length > MAX_EMBEDDED_BYTES && loads) parts.push({ isCode: true, suspicious: [LOADS_FROM_BYTES] });
    if (length > MAX_EMBEDDED_BYTES) continue;
    const inner = text === undefined ? sliceReader(reader, offset, length) : bytesReader(latin1Bytes(text));
    const found = await embedded(job, inner, loads);
    if (found.isCode) parts.push(found);
  }
  // What it loads may be put together while it runs; then nothing of it was seen.
  if (loads && parts.length === 0) parts.push({ isCode: true, suspicious: [LOADS_FROM_BYTES] });
  return parts;
}

async function embedded(job: ScanJob, reader: ByteReader, expected: boolean): Promise<Findings> {
  const scan: ScanContent = job.scanContent;
  return await scan({ ...job, depth: job.depth + 1 }, reader, expected ? 'embedded.pt' : 'embedded');
}
