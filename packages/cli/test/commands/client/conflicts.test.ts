import { beforeEach, describe, expect, it } from '@jest/globals';
import { type AliasConflict, ModelRtcError } from '@model-rtc/protocol';
import type { ImportIfExists } from '@model-rtc/registry';
import { askAliasConflict, askOnDuplicate } from '../../../src/commands/client/conflicts.ts';
import type { Context, Prompts } from '../../../src/console/context.ts';

interface Asked {
  readonly message: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
}
const CANCELLED = Symbol('cancelled');
const asked: Asked[] = [];
let answer: unknown;

// The prompt is all that is not real here: it draws on a terminal and reads keys.
const prompts = {
  select: async (question: Asked) => {
    asked.push(question);
    return answer;
  },
  isCancel: (value: unknown) => value === CANCELLED,
} as unknown as Prompts;

const person = {
  interactive: true,
  output: { clearProgress() {} },
  prompts: async () => prompts,
} as unknown as Context;
const nobody = { interactive: false } as Context;
const details = { alias: 'mouse', owner: { id: '4f1c22ab' }, suggestions: ['mouse-2', 'mouse-3'] };
const taken = new ModelRtcError('alias_taken', 'The alias "mouse" is taken.', { details });
const duplicate = new ModelRtcError('refused', 'This model is here already.', {
  details: { id: '4f1c22ab', alias: 'mouse', wanted: 'rat' },
});

/** Work that fails until it is told what to do. */
function stopped<T>(error: ModelRtcError): {
  work: (told: T | undefined) => Promise<string>;
  calls: (T | undefined)[];
} {
  const calls: (T | undefined)[] = [];
  const work = async (told: T | undefined): Promise<string> => {
    calls.push(told);
    if (told === undefined) throw error;
    return `done with ${String(told)}`;
  };
  return { work, calls };
}

/** Runs work as the commands do. */
async function askOnAliasConflict(
  context: Context,
  given: AliasConflict | undefined,
  work: (conflict: AliasConflict | undefined) => Promise<string>,
): Promise<string> {
  return await work(given).catch(async (error) => await work(await askAliasConflict(context, given, error)));
}

async function failure(promise: Promise<unknown>): Promise<ModelRtcError> {
  return await promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: ModelRtcError) => error,
  );
}

beforeEach(() => {
  asked.length = 0;
  answer = undefined;
});

describe('work that a taken alias stops', () => {
  it('runs once with what the flag says, and nobody is asked', async () => {
    const { work, calls } = stopped<AliasConflict>(taken);
    expect(await askOnAliasConflict(person, 'keep', work)).toBe('done with keep');
    expect({ calls, asked }).toEqual({ calls: ['keep'], asked: [] });
  });

  it('asks a person whose answers say what they do, and runs again with the answer', async () => {
    answer = 'rename';
    const { work, calls } = stopped<AliasConflict>(taken);
    expect(await askOnAliasConflict(person, undefined, work)).toBe('done with rename');
    expect(calls).toEqual([undefined, 'rename']);
    expect(asked[0]?.message).toBe(taken.message);
    expect(asked[0]?.options.map(({ value }) => value)).toEqual(['rename', 'keep', 'overwrite']);
    expect(asked[0]?.options[0]?.label).toContain('"mouse-2"');
  });

  it('fails with exit code 2 and the flag where nobody can be asked, and keeps owner and free names', async () => {
    const error = await failure(askOnAliasConflict(nobody, undefined, stopped<AliasConflict>(taken).work));
    expect(error).toMatchObject({ code: 'bad_argument', exitCode: 2, cause: taken });
    expect(error.details).toEqual({ ...details, flag: '--alias-conflict' });
    expect(error.message).toContain('--alias-conflict keep, rename or overwrite');
  });

  it('changes nothing when the person cancels', async () => {
    answer = CANCELLED;
    const { work, calls } = stopped<AliasConflict>(taken);
    expect((await failure(askOnAliasConflict(person, undefined, work))).code).toBe('cancelled');
    expect(calls).toEqual([undefined]);
  });

  it('fails as it does when something else stops it, or the answer did not help', async () => {
    const other = new ModelRtcError('storage_full', 'The disk is full.');
    const failing = (error: ModelRtcError) => () => Promise.reject(error);
    expect(await failure(askOnAliasConflict(person, undefined, failing(other)))).toBe(other);
    answer = 'rename';
    expect(await failure(askOnAliasConflict(person, undefined, failing(taken)))).toBe(taken);
    expect(asked).toHaveLength(1);
  });
});

describe('an import of a model that is here under another alias', () => {
  it('asks a person, with both names, and runs again with the answer', async () => {
    answer = 'skip';
    const { work, calls } = stopped<ImportIfExists>(duplicate);
    expect(await askOnDuplicate(person, undefined, work)).toBe('done with skip');
    expect(calls).toEqual([undefined, 'skip']);
    expect(asked[0]?.message).toContain('already here as "mouse" (4f1c22ab)');
    expect(asked[0]?.options.map(({ label }) => label).join()).toMatch(/"mouse".*"rat".*"rat"/);
  });

  it('fails with exit code 2 and the flag where nobody can be asked', async () => {
    const error = await failure(askOnDuplicate(nobody, undefined, stopped<ImportIfExists>(duplicate).work));
    expect(error).toMatchObject({ code: 'bad_argument', exitCode: 2, details: { flag: '--if-exists' } });
    expect(error.message).toMatch(/"mouse" \(4f1c22ab\).*--if-exists skip, rename or overwrite/);
  });

  it('takes no other refusal for a question', async () => {
    const unsafe = new ModelRtcError('refused', 'The model runs code.', { details: { codeFiles: [] } });
    expect(await failure(askOnDuplicate(person, undefined, () => Promise.reject(unsafe)))).toBe(unsafe);
    expect(asked).toEqual([]);
  });
});
