import { bytesReader, sliceReader, startsWith } from '../bytes/byte-readers.ts';
import type { Cursor } from '../bytes/cursor.ts';
import { latin1Bytes } from '../bytes/latin1.ts';
import { joblibArrays } from '../pickle/joblib-arrays.ts';
import { type PickleWalk, walkInput, walkPickle } from '../pickle/walk-pickle.ts';
import type { ByteReader } from '../types.ts';
import { type Findings, mergeFindings, PLAIN_CODE, suspiciousNames } from './findings.ts';
import type { ScanContent, ScanJob } from './scan-job.ts';

/** Consecutive pickles in one file: torch's old format has five, loggers write one for each record. */
const MAX_PICKLES = 10_000;
/** How deep arrays of objects may be nested. */
const MAX_NESTED_ARRAYS = 16;
/** The largest pickle within a pickle that is inspected. */
const MAX_EMBEDDED_BYTES = 32 * 1024 * 1024;
/** Loads a pickle from the bytes it is given. Those bytes are inspected instead. */
const LOADS_FROM_BYTES = 'torch.storage._load_from_bytes';

/** What is known about a file before it is read as a pickle. */
export interface PickleHints {
  /** Its name says that it is a pickle, so a tool will try to load it whatever it contains. */
  readonly expected: boolean;
}

/**
 * The findings of a file that a tool may load as a pickle; undefined when none of it would run. Where joblib has put arrays
 * into it, the file is walked twice: the way joblib reads it, past the arrays, and the way plain Python does, into them.
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

/** The pickles of a file in order. No loader gets past a broken one. */
async function walkAll(job: ScanJob, reader: ByteReader): Promise<PickleWalk[]> {
  const walks: PickleWalk[] = [];
  let start = 0;
  while (walks.length < MAX_PICKLES && start < reader.size) {
    const walk = await walkPickle(reader, start, { signal: job.signal });
    const asJoblib = isJoblib(walk) ? await walkJoblib(job, reader, start) : [];
    const whole = asJoblib[0]?.outcome === 'stop' ? { ...walk, outcome: 'stop' as const } : walk;
    // Raw bytes often follow whole pickles: torch and others put them there.
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

/** Whether loading the file would import something, or the file is a whole pickle. */
function isPickle(walk: PickleWalk, head: Uint8Array, expected: boolean): boolean {
  if (expected) return walk.imports.length > 0 || walk.outcome !== 'broken';
  const hasProtocol = startsWith(head, [0x80]) && (head[1] ?? 0xff) <= 5;
  if (hasProtocol) return walk.imports.length > 0 || walk.outcome !== 'broken';
  // Many texts begin with letters that are opcodes; none goes on to import, call and stop.
  return walk.imports.length > 0 && walk.calls && walk.outcome === 'stop';
}

function problemOf({ outcome, problem, end, imports }: PickleWalk, expected: boolean): string[] {
  if (outcome === 'stop' || (!expected && imports.length === 0)) return [];
  return [`(a pickle that cannot be read further than byte ${end}: ${problem})`];
}

/** Pickles within a pickle: bytes for a function that loads them, which the outer walk does not follow. */
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
  // The bytes may be computed while the pickle is loaded; then none of them were seen.
  if (loads && parts.length === 0) parts.push({ isCode: true, suspicious: [LOADS_FROM_BYTES] });
  return parts;
}

async function embedded(job: ScanJob, reader: ByteReader, expected: boolean): Promise<Findings> {
  const scan: ScanContent = job.scanContent;
  return await scan({ ...job, depth: job.depth + 1 }, reader, expected ? 'embedded.pt' : 'embedded');
}
