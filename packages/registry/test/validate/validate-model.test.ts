import { appendFile, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Alias, Digest } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import type { Registry, RegistryEntry } from '../../src/index.ts';
import { installFiles, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { type ModelChanges, makeLlama } from './make-model.ts';

const VERSION = '9.9.9';

async function installed(changes: ModelChanges = {}) {
  const registry = await openTestRegistry();
  const entry = await installFiles(registry, makeLlama(changes), { alias: 'mouse' as Alias });
  return { registry, entry, path: (name: string) => join(entry.localPath, name) };
}

async function outcomes(registry: Registry, options: { quick?: boolean } = {}): Promise<Record<string, string>> {
  const { results } = await registry.validate('mouse', { version: VERSION, ...options });
  return Object.fromEntries(results.map(({ check, outcome }) => [check, outcome]));
}

const ALL_RIGHT = {
  ...{ files: 'passed', checksums: 'passed', headers: 'passed', config: 'passed', numbers: 'passed' },
  ...{ tokenizer: 'passed', forward: 'skipped' },
};

async function detail(registry: Registry, check: string, quick = false): Promise<string | undefined> {
  const { results } = await registry.validate('mouse', { version: VERSION, quick });
  return results.find((one) => one.check === check)?.detail;
}

describe('validating a model', () => {
  it('passes one that can be used, and reads every byte once', async () => {
    const { registry, entry } = await installed();
    const progress: number[] = [];
    const { isValid, results } = await registry.validate('mouse', {
      version: VERSION,
      onProgress: ({ doneBytes }) => progress.push(doneBytes),
    });
    expect(isValid).toBe(true);
    expect(Object.fromEntries(results.map(({ check, outcome }) => [check, outcome]))).toEqual(ALL_RIGHT);
    expect(progress.at(-1)).toBe(entry.size);
  });

  it('keeps what it found in the entry, and in the notes of its folder', async () => {
    const { registry, entry, path } = await installed();
    const { results, entry: validated } = await registry.validate('mouse', { version: VERSION });
    expect(validated.validation).toMatchObject({ version: VERSION, results });
    expect((await registry.find(entry.digest as Digest))?.validation).toEqual(validated.validation);
    expect(JSON.parse(await readFile(path('.model-rtc/entry.json'), 'utf8')).entry.validation.results).toEqual(results);
    await rm(registry.paths.registryFile);
    expect((await (await openTestRegistry({ home: registry.paths.root })).resolve('mouse')).entry.validation).toEqual(
      validated.validation,
    );
  });

  it.each<[string, ModelChanges, string, RegExp]>([
    ['a tensor is missing', { without: 'model.norm.weight' }, 'config', /Missing: model\.norm\.weight/],
    ['the configuration is of another size', { config: { hidden_size: 16 } }, 'config', /should be \[20, 16\]/],
    ['a number is NaN', { numbers: { 'lm_head.weight': Number.NaN } }, 'numbers', /^lm_head\.weight has 1 NaN\.$/],
    ['a token is beyond the vocabulary', { config: { eos_token_id: 20 } }, 'tokenizer', /eos_token_id is "20"/],
    ['the tokenizer is broken', { tokenizer: { model: {} } }, 'tokenizer', /no vocabulary/],
  ])('fails when %s, and says so', async (_, changes, check, expected) => {
    const { registry } = await installed(changes);
    const { isValid, results } = await registry.validate('mouse', { version: VERSION });
    expect(isValid).toBe(false);
    expect(results.find((one) => one.check === check)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(expected),
    });
    // All others say what they found as well.
    expect(results.filter(({ outcome }) => outcome === 'failed')).toHaveLength(1);
  });

  it('warns of an infinity, and of a file that does not belong to it', async () => {
    const { registry, path } = await installed({ numbers: { 'model.norm.weight': Number.POSITIVE_INFINITY } });
    await writeFile(path('cache.bin'), 'x');
    expect(await outcomes(registry)).toMatchObject({ files: 'warning', numbers: 'warning' });
    expect(await detail(registry, 'files')).toBe('Not part of the model: cache.bin.');
    expect(await detail(registry, 'numbers')).toBe('model.norm.weight has 1 infinite.');
  });

  it('tells files that are gone from bytes that are wrong', async () => {
    const { registry, path } = await installed();
    await rm(path('tokenizer.json'));
    expect(await outcomes(registry)).toMatchObject({ files: 'failed', checksums: 'passed', tokenizer: 'skipped' });
    const other = await installed();
    const weights = other.path('model.safetensors');
    const old = new Date('2026-01-02T03:04:05Z');
    await utimes(weights, old, old);
    await other.registry.verify('mouse');
    const bytes = await readFile(weights);
    bytes.writeFloatLE(2, bytes.length - 4);
    await writeFile(weights, bytes);
    await utimes(weights, old, old);
    expect(await outcomes(other.registry)).toEqual({ ...ALL_RIGHT, checksums: 'failed' });
    await appendFile(weights, 'more');
    expect(await outcomes(other.registry)).toMatchObject({ files: 'failed', headers: 'skipped', config: 'skipped' });
  });

  it('reads only a part with quick, and says that', async () => {
    const { registry } = await installed({ numbers: { 'lm_head.weight': Number.NaN } });
    expect(await outcomes(registry, { quick: true })).toEqual({
      ...ALL_RIGHT,
      checksums: 'skipped',
      numbers: 'failed',
    });
    expect((await registry.resolve('mouse')).entry.validation?.quick).toBe(true);
  });

  it('looks at all numbers of a model whose bytes were verified just now, and hashes none', async () => {
    const { registry } = await installed({ numbers: { 'model.norm.weight': Number.NaN } });
    const { results, entry } = await registry.validate('mouse', { version: VERSION, bytesVerified: true });
    expect(results.find(({ check }) => check === 'checksums')?.detail).toBe('Every byte was verified as it came.');
    expect(results.find(({ check }) => check === 'numbers')?.detail).toBe('model.norm.weight has 1 NaN.');
    expect(entry.validation?.quick).toBeUndefined();
  });

  it('runs a model in which nothing failed, and keeps what came out', async () => {
    const { registry } = await installed();
    const ran: RegistryEntry[] = [];
    const forward = async (entry: RegistryEntry) => {
      ran.push(entry);
      return { check: 'forward', outcome: 'failed', detail: 'It gives NaN.' } as const;
    };
    const { isValid } = await registry.validate('mouse', { version: VERSION, forward });
    expect({ isValid, ids: ran.map(({ alias }) => alias) }).toEqual({ isValid: false, ids: ['mouse'] });
    const broken = await installed({ without: 'model.norm.weight' });
    const { results } = await broken.registry.validate('mouse', { version: VERSION, forward });
    expect(results.at(-1)).toMatchObject({ outcome: 'skipped', detail: 'Not run, since this failed: config.' });
    expect(ran).toHaveLength(1);
  });

  it('says how to run a model where nobody did', async () => {
    const { registry } = await installed();
    expect(await detail(registry, 'forward')).toMatch(/To run it: model-rtc client validate mouse$/);
  });

  it('fails for a model whose folder is gone', async () => {
    const { registry, entry } = await installed();
    await rm(entry.localPath, { recursive: true });
    expect(await outcomes(registry)).toMatchObject({ files: 'failed', checksums: 'skipped' });
  });

  it('writes a lost manifest again, as verify does', async () => {
    const { registry, path } = await installed();
    await rm(path('.model-rtc/manifest.json'));
    expect(await outcomes(registry)).toEqual(ALL_RIGHT);
  });

  it('is forgotten when the files are replaced', async () => {
    const { registry, entry, path } = await installed();
    await rm(path('tokenizer.json'));
    expect((await registry.validate('mouse', { version: VERSION })).isValid).toBe(false);
    const digest = entry.digest as Digest;
    const filesFolder = await writeFiles(join(registry.paths.staging, 'whole'), makeLlama());
    const manifest = await registry.manifest(digest);
    expect((await registry.replaceFiles(digest, { filesFolder, manifest })).validation).toBeUndefined();
  });

  it('stops when it is cancelled', async () => {
    const { registry } = await installed();
    const signal = AbortSignal.abort();
    expect(await rejection(registry.validate('mouse', { version: VERSION, signal }))).toMatchObject({
      code: 'cancelled',
    });
    expect((await registry.resolve('mouse')).entry.validation).toBeUndefined();
  });
});
