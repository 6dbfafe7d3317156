import { Cursor } from '../bytes/cursor.ts';
import { createReadBudget, OverBudgetError } from '../bytes/read-budget.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import { MAX_PICKLE_HELD_CHARS, MAX_PICKLE_LINE_BYTES } from '../limits.ts';
import type { ByteReader, ReadBudget } from '../types.ts';
import { ACTIONS, type Argument, type DecodeText, MAX_IMPORT_NAME_BYTES, type MachineState } from './actions.ts';
import { type ArgumentForm, type Opcode, type OpcodeName, PICKLE_OPCODES } from './opcodes.ts';
import { PickleStack, TooLargeError } from './stack.ts';
import { OPAQUE, type PickledGlobal, type PickledValue } from './values.ts';

/** Steps that are taken out of the budget at once. */
const STEPS_AT_ONCE = 256;
/** The longest text or line that is read; names are far shorter. */
const MAX_KEPT_BYTES = 64 * 1024;
/** Containers and items that are kept, some 100 bytes each; the rest of a larger pickle is walked but not kept. */
const MAX_KEPT_ITEMS = 1_000_000;
/** Different imports of one pickle. */
const MAX_IMPORTS = 10_000;
/** Constants that may hold another pickle and are inspected, some 100 bytes each. */
const MAX_CONSTANTS = 10_000;
/** The newest protocol. A loader refuses a higher one. */
const LAST_PROTOCOL = 5;

/** A constant that may itself be loaded as a pickle. */
export interface EmbeddedConstant {
  readonly offset: number;
  readonly length: number;
  /** Of a text whose characters each stand for one byte; undefined for bytes. */
  readonly decode: DecodeText | undefined;
}

export interface PickleWalk {
  /** `stop`: reached its proper end. `broken`: loading it would fail there. `too_large`: this reader gave up. */
  readonly outcome: 'stop' | 'broken' | 'too_large';
  /** Why it is broken or too large, as the end of a sentence. */
  readonly problem: string | undefined;
  /** It is broken because the bytes end; more of them might go on with it. */
  readonly isCut: boolean;
  /** Where the walk ended in the file. */
  readonly end: number;
  /** What loading it imports, up to where the walk ended; without duplicates. */
  readonly imports: readonly PickledGlobal[];
  /** Whether anything is called or built. */
  readonly calls: boolean;
  /** Whether the value has all that the pickle holds; a large one is kept in part. */
  readonly keepsAll: boolean;
  /** In the order of the file. */
  readonly constants: readonly EmbeddedConstant[];
  /** Whether there are more constants than are listed. */
  readonly hasMoreConstants: boolean;
  /** What it holds; opaque unless the outcome is `stop`. */
  readonly value: PickledValue;
}

export interface WalkOptions {
  /** Its own when left out. */
  readonly budget?: ReadBudget | undefined;
  /**
   * How many of the values to keep that the pickle holds, in containers and items of some 100 bytes; by default as many as the
   * largest real models have. With 0 the walk keeps only what may name an import.
   */
  readonly maxKept?: number | undefined;
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
  const machine = createMachine(options.maxKept ?? MAX_KEPT_ITEMS);
  try {
    await run(input, machine, options);
    const value = machine.stack.pop();
    return { ...machine.found(), outcome: 'stop', problem: undefined, isCut: false, end: input.offset, value };
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome === undefined) throw error;
    const isCut = error instanceof EndsEarlyError;
    return { ...machine.found(), outcome, problem: (error as Error).message, isCut, end: input.offset, value: OPAQUE };
  }
}

function outcomeOf(error: unknown): 'broken' | 'too_large' | undefined {
  if (error instanceof StructureError) return 'broken';
  return error instanceof TooLargeError || error instanceof OverBudgetError ? 'too_large' : undefined;
}

async function run(input: Cursor, machine: Machine, options: WalkOptions): Promise<void> {
  const { signal, afterBuild, budget = createReadBudget() } = options;
  const frames = createFrames();
  for (let step = 1; ; step++) {
    if (step % STEPS_AT_ONCE === 0) budget.spend('opcodes', STEPS_AT_ONCE);
    // The longest opcode without a text takes nine bytes.
    if (input.lacks(9)) {
      signal?.throwIfAborted();
      await input.fill(9);
    }
    const opcode = PICKLE_OPCODES.get(input.u8());
    if (opcode === undefined) throw new StructureError('it is no pickle from there on');
    const start = input.offset;
    const argument = readNumber(input, opcode.form) ?? (await readBytes(input, opcode, budget));
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

async function readBytes(input: Cursor, { name, form }: Opcode, budget: ReadBudget): Promise<Argument> {
  if (form.kind !== 'sized') {
    const offset = input.offset;
    const bytes = await readLine(input, budget);
    // Without its line end, as far as the first line is known.
    const length = bytes?.length ?? input.offset - offset;
    const secondLine = form.kind === 'lines' && form.lines === 2 ? await readLine(input, budget) : undefined;
    return { number: 0, bytes, secondLine, offset, length };
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

/** The bytes up to the end of the line, or undefined for a line that is too long to keep; either way it is behind us. */
async function readLine(input: Cursor, budget: ReadBudget): Promise<Uint8Array | undefined> {
  let length = input.lineLength(MAX_KEPT_BYTES);
  if (length === undefined && input.lacks(MAX_KEPT_BYTES)) {
    await input.fill(Math.min(MAX_KEPT_BYTES, input.left));
    length = input.lineLength(MAX_KEPT_BYTES);
  }
  if (length === undefined) {
    if (input.left >= MAX_KEPT_BYTES) return await skipLine(input, budget);
    // Python's unpickler in Python, which joblib and dill build on, takes all but the last byte as the line.
    length = Math.max(0, input.left - 1);
  }
  const line = input.take(length);
  if (input.left > 0) input.skip(1);
  return line;
}

async function skipLine(input: Cursor, budget: ReadBudget): Promise<undefined> {
  for (let skipped = 0; skipped < MAX_PICKLE_LINE_BYTES; skipped += MAX_KEPT_BYTES) {
    budget.spend('bytes', MAX_KEPT_BYTES);
    await input.fill(Math.min(MAX_KEPT_BYTES, input.left));
    const length = input.lineLength(MAX_KEPT_BYTES);
    if (length !== undefined) {
      input.skip(length + 1);
      return undefined;
    }
    input.skip(Math.max(0, Math.min(MAX_KEPT_BYTES, input.left - 1)));
    if (input.left <= 1) {
      input.skip(input.left);
      return undefined;
    }
  }
  throw new TooLargeError('a line is too long');
}

interface Machine extends MachineState {
  calls: boolean;
  found(): Pick<PickleWalk, 'imports' | 'calls' | 'keepsAll' | 'constants' | 'hasMoreConstants'>;
}

function createMachine(maxKept: number): Machine {
  const imports = new Map<string, PickledGlobal>();
  const constants: EmbeddedConstant[] = [];
  let hasMoreConstants = false;
  let kept = 0;
  let keptChars = 0;
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
    noteConstant({ offset, length, bytes }, decode) {
      if (length < MIN_EMBEDDED_BYTES) return;
      // A text counts only if it begins like the bytes of a pickle.
      if (decode !== undefined && bytes !== undefined && !mayBeginPickle(bytes, decode)) return;
      if (constants.length < MAX_CONSTANTS) constants.push({ offset, length, decode });
      else hasMoreConstants = true;
    },
    mayKeep(count) {
      kept += count;
      return kept <= maxKept;
    },
    mayKeepText(length) {
      if (maxKept === 0) return length <= MAX_IMPORT_NAME_BYTES;
      keptChars += length;
      return keptChars <= MAX_PICKLE_HELD_CHARS;
    },
    found() {
      const keepsAll = kept <= maxKept && keptChars <= MAX_PICKLE_HELD_CHARS;
      return { imports: [...imports.values()], calls: this.calls, keepsAll, constants, hasMoreConstants };
    },
  };
}

/** What can stand for the first byte of a pickle in a text: itself, in UTF-8, in quotes, as an escape, after spaces. */
const FIRST_BYTES: ReadonlySet<number> = new Set([0x80, 0xc2, 0x22, 0x27, 0x5c, 0x20, 0x09]);

function mayBeginPickle(bytes: Uint8Array, decode: DecodeText): boolean {
  return FIRST_BYTES.has(bytes[0] ?? 0) && decode(bytes).charCodeAt(0) === 0x80;
}
