import { bytesReader, sliceReader, startsWith } from '../bytes/byte-readers.ts';
import { Cursor } from '../bytes/cursor.ts';
import { latin1Bytes } from '../bytes/latin1.ts';
import { joblibArrays } from '../pickle/joblib-arrays.ts';
import { type EmbeddedConstant, type PickleWalk, walkInput } from '../pickle/walk-pickle.ts';
import type { ByteReader } from '../types.ts';
import { type Findings, mergeFindings, ONLY_DATA, PLAIN_CODE, suspiciousNames, unreadable } from './findings.ts';
import { type ScanJob, scanInside } from './scan-job.ts';

/** How deep arrays of objects may be nested. */
const MAX_NESTED_ARRAYS = 4;
/** Values kept to find the arrays of joblib, which are described by some ten. */
const MAX_KEPT_FOR_ARRAYS = 50_000;
/** The largest pickle within a pickle that is inspected. */
const MAX_EMBEDDED_BYTES = 32 * 1024 * 1024;
/** Loads a pickle from the bytes it is given. Those bytes are inspected instead. */
const LOADS_FROM_BYTES = 'torch.storage._load_from_bytes';

/** What is known about a file before it is read as a pickle. */
export interface PickleHints {
  /** Its name says that it is a pickle, so a tool will try to load it whatever it contains. */
  readonly expected: boolean;
}

/** A pickle of a file, among those that stand in it one after the other. */
interface PickleInFile extends PickleHints {
  readonly job: ScanJob;
  readonly reader: ByteReader;
}

/**
 * The findings of a file that a tool may load as a pickle; undefined when none of it would run. Torch's old format has five
 * pickles in a row, loggers write one for each record; no loader gets past a broken one. No pickle's values are kept, only what
 * was found in it.
 */
export async function scanPickles(
  job: ScanJob,
  reader: ByteReader,
  { expected }: PickleHints,
): Promise<Findings | undefined> {
  const file: PickleInFile = { job, reader, expected };
  const input = new Cursor(reader, 0);
  const head = await reader.read(0, Math.min(2, reader.size));
  let found: Findings | undefined;
  while (input.left > 0) {
    if (found !== undefined) job.budget.spend('parts');
    const start = input.offset;
    const walk = await walkInput(input, { signal: job.signal, budget: job.budget, maxKept: 0 });
    if (found === undefined && !isPickle(walk, head, expected)) return undefined;
    const asJoblib = isJoblib(walk) ? await scanAsJoblib(file, start) : undefined;
    const whole: PickleWalk = asJoblib?.isWhole === true ? { ...walk, outcome: 'stop' } : walk;
    // Raw bytes often follow whole pickles: torch and others put them there.
    if (found !== undefined && whole.outcome === 'broken') break;
    const inWalk = await findingsOf(file, whole);
    found = mergeFindings([found ?? PLAIN_CODE, inWalk, asJoblib?.findings ?? ONLY_DATA]);
    if (walk.outcome !== 'stop') break;
  }
  return found;
}

function isJoblib({ imports }: PickleWalk): boolean {
  return imports.some(({ module }) => module.startsWith('joblib.'));
}

/**
 * Where joblib has put arrays into a file, it is walked twice: the way plain Python reads it, into them, and the way joblib does,
 * past the arrays.
 */
async function scanAsJoblib(file: PickleInFile, start: number): Promise<{ isWhole: boolean; findings: Findings }> {
  const { job, reader } = file;
  const options = { signal: job.signal, budget: job.budget, maxKept: MAX_KEPT_FOR_ARRAYS };
  let findings = ONLY_DATA;
  const add = async (walk: PickleWalk) => {
    findings = mergeFindings([findings, await findingsOf(file, walk)]);
  };
  const hook = (depth: number): ReturnType<typeof joblibArrays> =>
    joblibArrays(async (input: Cursor) => {
      if (depth >= MAX_NESTED_ARRAYS) {
        findings = mergeFindings([findings, unreadable('arrays of objects within arrays of objects')]);
        return;
      }
      job.budget.spend('parts');
      await add(await walkInput(input, { ...options, afterBuild: hook(depth + 1) }));
    });
  const outer = await walkInput(new Cursor(reader, start), { ...options, afterBuild: hook(0) });
  await add(outer);
  return { isWhole: outer.outcome === 'stop', findings };
}

/** Whether loading the file would import something, or the file is a whole pickle; or nobody can tell. */
function isPickle(walk: PickleWalk, head: Uint8Array, expected: boolean): boolean {
  if (walk.outcome === 'too_large') return true;
  if (expected) return walk.imports.length > 0 || walk.outcome === 'stop';
  const hasProtocol = startsWith(head, [0x80]) && (head[1] ?? 0xff) <= 5;
  if (hasProtocol) return walk.imports.length > 0 || walk.outcome === 'stop';
  // Many texts begin with letters that are opcodes; none goes on to import, call and stop.
  return walk.imports.length > 0 && walk.calls && walk.outcome === 'stop';
}

/** Whether bytes are the beginning of a pickle that goes on where they end. */
export async function mayBePickle({ budget, signal }: ScanJob, reader: ByteReader): Promise<boolean> {
  const walk = await walkInput(new Cursor(reader, 0), { signal, budget, maxKept: 0 });
  return walk.isCut || walk.outcome !== 'broken';
}

async function findingsOf(file: PickleInFile, walk: PickleWalk): Promise<Findings> {
  const imports = walk.imports.filter(({ module, name }) => `${module}.${name}` !== LOADS_FROM_BYTES);
  const named: Findings = { isCode: true, suspicious: suspiciousNames(imports) };
  return mergeFindings([named, problemOf(walk, file.expected), ...(await scanConstants(file, walk))]);
}

function problemOf({ outcome, problem, end, imports }: PickleWalk, expected: boolean): Findings {
  if (outcome === 'too_large') return unreadable(`a pickle that was examined only up to byte ${end}: ${problem}`);
  if (outcome === 'stop' || (!expected && imports.length === 0)) return ONLY_DATA;
  return { isCode: true, suspicious: [`(a pickle that cannot be read further than byte ${end}: ${problem})`] };
}

/** Pickles within a pickle: bytes for a function that loads them, which the outer walk does not follow. */
async function scanConstants(file: PickleInFile, walk: PickleWalk): Promise<Findings[]> {
  const loads = walk.imports.some(({ module, name }) => `${module}.${name}` === LOADS_FROM_BYTES);
  let found = ONLY_DATA;
  for (const constant of walk.constants) {
    if (constant.length > MAX_EMBEDDED_BYTES) {
      if (loads) found = mergeFindings([found, unreadable('a large pickle within a pickle')]);
      continue;
    }
    const inner = await scanConstant(file, constant, loads);
    if (inner.isCode) found = mergeFindings([found, inner]);
  }
  if (walk.hasMoreConstants)
    found = mergeFindings([found, unreadable('more pickles within a pickle than are examined')]);
  // The bytes may be computed while the pickle is loaded; then none of them were seen.
  return loads && !found.isCode ? [{ isCode: true, suspicious: [LOADS_FROM_BYTES] }] : [found];
}

async function scanConstant(
  { job, reader }: PickleInFile,
  { offset, length, decode }: EmbeddedConstant,
  expected: boolean,
): Promise<Findings> {
  const inner =
    decode === undefined
      ? sliceReader(reader, offset, length)
      : bytesReader(latin1Bytes(decode(await reader.read(offset, length))));
  return await scanInside(job, inner, expected ? 'embedded.pt' : 'embedded');
}
