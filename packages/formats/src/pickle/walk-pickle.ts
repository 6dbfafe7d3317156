import { Cursor } from '../bytes/cursor.ts';
import { StructureError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';
import { ACTIONS, type Argument, type MachineState } from './actions.ts';
import { type ArgumentForm, type Opcode, type OpcodeName, PICKLE_OPCODES } from './opcodes.ts';
import { PickleStack, TooLargeError } from './stack.ts';
import { OPAQUE, type PickledGlobal, type PickledValue } from './values.ts';

/** Limits the time to some seconds. An array is a single opcode, so even real pickles of gigabytes have fewer. */
const MAX_OPCODES = 20_000_000;
/** The longest text or line that is read; names are far shorter. */
const MAX_KEPT_BYTES = 64 * 1024;
/** Containers and items that are kept, some 100 bytes each; the rest of a larger pickle is walked but not kept. */
const MAX_KEPT_ITEMS = 1_000_000;
/** Different imports of one pickle. */
const MAX_IMPORTS = 10_000;
/** Constants that may hold another pickle and are inspected. */
const MAX_CONSTANTS = 1_000;
/** The newest protocol. A loader refuses a higher one. */
const LAST_PROTOCOL = 5;

/** A constant that may itself be loaded as a pickle. */
export interface EmbeddedConstant {
  readonly offset: number;
  readonly length: number;
  /** A text whose characters each stand for one byte; undefined for bytes. */
  readonly text: string | undefined;
}

export interface PickleWalk {
  /** `stop`: reached its proper end. `broken`: loading it would fail there. `too_large`: this reader gave up. */
  readonly outcome: 'stop' | 'broken' | 'too_large';
  /** Why it is broken or too large, as the end of a sentence. */
  readonly problem: string | undefined;
  /** Where the walk ended in the file. */
  readonly end: number;
  /** What loading it imports, up to where the walk ended; without duplicates. */
  readonly imports: readonly PickledGlobal[];
  /** Whether anything is called or built. */
  readonly calls: boolean;
  readonly constants: readonly EmbeddedConstant[];
  /** What it holds; opaque unless the outcome is `stop`. */
  readonly value: PickledValue;
}

export interface WalkOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each BUILD with the built value. Raw bytes may follow, and the hook skips them. */
  readonly afterBuild?: ((value: PickledValue, input: Cursor) => Promise<void>) | undefined;
}

/**
 * Walks a pickle as Python's machine would, but builds, imports and calls nothing: it records each import, and the result
 * of a call is a record of the call. It stops where Python refuses a pickle, and goes on where it is not sure, so that it
 * misses no import that a loader would reach.
 * @throws only what the reader and the signal throw.
 */
export async function walkPickle(reader: ByteReader, start: number, options: WalkOptions = {}): Promise<PickleWalk> {
  return await walkInput(new Cursor(reader, start), options);
}

/** Does the same from the input's position, and leaves the input behind the pickle. */
export async function walkInput(input: Cursor, options: WalkOptions): Promise<PickleWalk> {
  const machine = createMachine();
  try {
    await run(input, machine, options);
    const value = machine.stack.pop();
    return { ...machine.found(), outcome: 'stop', problem: undefined, end: input.offset, value };
  } catch (error) {
    const outcome =
      error instanceof StructureError ? 'broken' : error instanceof TooLargeError ? 'too_large' : undefined;
    if (outcome === undefined) throw error;
    return { ...machine.found(), outcome, problem: (error as Error).message, end: input.offset, value: OPAQUE };
  }
}

async function run(input: Cursor, machine: Machine, { signal, afterBuild }: WalkOptions): Promise<void> {
  const frames = createFrames();
  for (let step = 0; ; step++) {
    if (step >= MAX_OPCODES) throw new TooLargeError('it is too long');
    // The longest opcode without a text takes nine bytes.
    if (input.lacks(9)) {
      signal?.throwIfAborted();
      await input.fill(9);
    }
    const opcode = PICKLE_OPCODES.get(input.u8());
    if (opcode === undefined) throw new StructureError('it is no pickle from there on');
    const start = input.offset;
    const argument = readNumber(input, opcode.form) ?? (await readBytes(input, opcode));
    if (frames.crosses(opcode.name, start, input.offset, argument.number)) machine.importName(OPAQUE, OPAQUE);
    if (opcode.name === 'STOP') return;
    if (opcode.name === 'PROTO' && argument.number > LAST_PROTOCOL) throw new StructureError('its protocol is unknown');
    machine.calls ||= CALLS.has(opcode.name);
    ACTIONS[opcode.name]?.(machine, argument);
    if (opcode.name === 'BUILD') await afterBuild?.(machine.stack.top, input);
  }
}

/**
 * Knows where frames end. No pickler writes an argument across the end of a frame. When Python's fast unpickler reads one
 * from anything but a plain file, it loses the part before the end and goes on somewhere else, to imports that nobody sees.
 * Source: CPython Modules/_pickle.c, `_Unpickler_ReadImpl` and `_Unpickler_Readline`.
 */
function createFrames() {
  let frameEnd = 0;
  return {
    /** Whether an opcode's argument, or the frame it begins, crosses the end of the current frame. */
    crosses(name: OpcodeName, start: number, end: number, number: number): boolean {
      const reachesTo = name === 'FRAME' ? end + number : end;
      const crosses = start < frameEnd && reachesTo > frameEnd;
      if (name === 'FRAME') frameEnd = Math.max(frameEnd, reachesTo);
      return crosses;
    },
  };
}

/** Opcodes that run something that was imported. */
const CALLS: ReadonlySet<OpcodeName> = new Set(['REDUCE', 'BUILD', 'INST', 'OBJ', 'NEWOBJ', 'NEWOBJ_EX', 'EXT']);
const SIGNED_LENGTHS: ReadonlySet<OpcodeName> = new Set(['BINSTRING', 'LONG4']);
/** The shortest pickle that imports something: a letter, a module and a name with their line ends, and the stop. */
const MIN_EMBEDDED_BYTES = 6;

/** An argument of fixed width, which is in the window already. */
function readNumber(input: Cursor, form: ArgumentForm): Argument | undefined {
  if (form.kind !== 'number' && form.kind !== 'double') return undefined;
  const number = form.kind === 'double' ? input.f64BigEndian() : input.uint(form.bytes);
  return { number, bytes: undefined, secondLine: undefined, offset: 0, length: 0 };
}

async function readBytes(input: Cursor, { name, form }: Opcode): Promise<Argument> {
  if (form.kind !== 'sized') {
    const offset = input.offset;
    const bytes = await readLine(input);
    const secondLine = form.kind === 'lines' && form.lines === 2 ? await readLine(input) : undefined;
    return { number: 0, bytes, secondLine, offset, length: bytes.length };
  }
  const number = input.uint(form.bytes);
  if (SIGNED_LENGTHS.has(name) && number >= 2 ** 31) throw new StructureError('a length is negative');
  const offset = input.offset;
  if (number > MAX_KEPT_BYTES) {
    input.skip(number);
    return { number, bytes: undefined, secondLine: undefined, offset, length: number };
  }
  if (input.lacks(number)) await input.fill(number);
  return { number, bytes: input.take(number), secondLine: undefined, offset, length: number };
}

async function readLine(input: Cursor): Promise<Uint8Array> {
  let length = input.lineLength(MAX_KEPT_BYTES);
  if (length === undefined && input.lacks(MAX_KEPT_BYTES)) {
    await input.fill(Math.min(MAX_KEPT_BYTES, input.left));
    length = input.lineLength(MAX_KEPT_BYTES);
  }
  if (length === undefined) {
    if (input.left >= MAX_KEPT_BYTES) throw new TooLargeError('a line is too long');
    // Python's unpickler in Python, which joblib and dill build on, takes all but the last byte as the line.
    length = Math.max(0, input.left - 1);
  }
  const line = input.take(length);
  if (input.left > 0) input.skip(1);
  return line;
}

interface Machine extends MachineState {
  calls: boolean;
  found(): Pick<PickleWalk, 'imports' | 'calls' | 'constants'>;
}

function createMachine(): Machine {
  const imports = new Map<string, PickledGlobal>();
  const constants: EmbeddedConstant[] = [];
  let kept = 0;
  const nameOf = (value: PickledValue): string => (typeof value === 'string' ? value : '?');
  return {
    stack: new PickleStack(),
    calls: false,
    importName(module, name) {
      const key = `${nameOf(module)} ${nameOf(name)}`;
      const known = imports.get(key) ?? { kind: 'global', module: nameOf(module), name: nameOf(name) };
      if (imports.size >= MAX_IMPORTS) throw new TooLargeError('it imports too much');
      imports.set(key, known);
      return known;
    },
    noteConstant({ offset, length }, text) {
      if (length < MIN_EMBEDDED_BYTES || constants.length >= MAX_CONSTANTS) return;
      // A text is kept only if it begins like the bytes of a pickle.
      if (text === undefined || text.charCodeAt(0) === 0x80) constants.push({ offset, length, text });
    },
    mayKeep(count) {
      kept += count;
      return kept <= MAX_KEPT_ITEMS;
    },
    found() {
      return { imports: [...imports.values()], calls: this.calls, constants };
    },
  };
}
