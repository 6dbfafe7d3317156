import { readdir, readFile, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, listModelsParams, silentLog } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { makeIndex } from '../../src/entry/registry-index.ts';
import { openIndexFile } from '../../src/store/index-file.ts';
import { decodeIndex, encodeIndex, INDEX_VERSION, MIGRATIONS } from '../../src/store/index-format.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

const all = listModelsParams.parse({});
/** Above the largest process id that Linux gives out. */
const NO_PROCESS = 2 ** 22 + 1;

describe('a registry file that cannot be read', () => {
  const damages = {
    'cut in the middle': (text: string) => text.slice(0, text.length / 2),
    empty: () => '',
    'no JSON': () => 'hello',
    'without a version': () => '{}',
    'an array': () => '[]',
    'with a model of the wrong type': (text: string) => text.replace('"linked": false', '"linked": "no"'),
    'with a folder outside models/': (text: string) => text.replace(/"folder": "[^"]*"/, '"folder": "../../etc"'),
    'with a model under another id': (text: string) => text.replace(/"id": "[^"]*"/, '"id": "other"'),
    'with nesting without end': () => '['.repeat(200_000),
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(`(${name}) is kept beside and made again from the model folders`, async () => {
      const log = warningLog();
      const registry = await openTestRegistry({ log, now: () => new Date('2026-01-02T03:04:05.678Z') });
      const { id } = await installFiles(registry, { a: 'one' }, { alias: 'mouse' as Alias, entry: { notes: 'kept' } });
      await installFiles(registry, { a: 'two' });
      const text = damage(await readFile(registry.paths.registryFile, 'utf8'));
      await writeFile(registry.paths.registryFile, text);
      expect((await registry.list(all)).total).toBe(2);
      expect((await registry.resolve('mouse')).entry).toMatchObject({ id, notes: 'kept' });
      const kept = join(registry.paths.models, 'registry.corrupted.2026-01-02T03-04-05-678Z.json');
      expect(await readFile(kept, 'utf8')).toBe(text);
      expect(log.warnings).toEqual([expect.stringContaining('damaged')]);
      expect(JSON.parse(await readFile(registry.paths.registryFile, 'utf8')).version).toBe(INDEX_VERSION);
    });
  }

  it('is made again too when it is gone', async () => {
    const registry = await openTestRegistry();
    await installFiles(registry, { a: 'one' }, { alias: 'mouse' as Alias });
    await rm(registry.paths.registryFile);
    expect((await registry.resolve('mouse')).resolvedBy).toBe('alias');
  });

  it('is kept under another name when two are damaged in the same moment', async () => {
    const registry = await openTestRegistry({ now: () => new Date('2026-01-02T03:04:05.678Z') });
    for (const text of ['one', 'two']) {
      await writeFile(registry.paths.registryFile, text);
      await registry.list(all);
    }
    const kept = (await readdir(registry.paths.models)).filter((name) => name.includes('corrupted'));
    expect(kept).toHaveLength(2);
  });
});

describe('a registry file of another version', () => {
  it('is refused when it is newer, and not touched', async () => {
    const registry = await openTestRegistry();
    const text = JSON.stringify({ version: INDEX_VERSION + 1, models: { strange: true } });
    await writeFile(registry.paths.registryFile, text);
    const error = await rejection(registry.list(all));
    expect(error.code).toBe('refused');
    expect(error.message).toMatch(/Upgrade model-rtc/);
    expect((await rejection(installFiles(registry, { a: 'b' }))).code).toBe('refused');
    expect((await rejection(openTestRegistry({ home: registry.paths.root }))).code).toBe('refused');
    expect(await readFile(registry.paths.registryFile, 'utf8')).toBe(text);
  });

  it('is migrated when it is older, and kept beside when the new one is written', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, { a: 'b' });
    const current = JSON.parse(await readFile(registry.paths.registryFile, 'utf8'));
    const older = JSON.stringify({ version: 0, list: Object.values(current.models) });
    await writeFile(registry.paths.registryFile, older);
    const byId = (list: { id: string }[]) => Object.fromEntries(list.map((entry) => [entry.id, entry]));
    const toFirst = ({ list }: Record<string, unknown>) => ({ models: byId(list as []) });
    const migrations = new Map([...MIGRATIONS, [0, toFirst]]);
    const { paths } = registry;
    const file = openIndexFile({ paths, log: silentLog, now: () => new Date(), migrations });
    expect([...(await file.read()).byId.keys()]).toEqual([id]);
    expect(await readFile(paths.registryFile, 'utf8')).toBe(older);
    await file.update(async () => ({ result: undefined }));
    expect(JSON.parse(await readFile(paths.registryFile, 'utf8')).version).toBe(INDEX_VERSION);
    expect(await readFile(join(paths.models, 'registry.v0.json'), 'utf8')).toBe(older);
  });
});

describe('the index', () => {
  it('takes aliases that are names of object properties', async () => {
    const registry = await openTestRegistry();
    for (const alias of ['constructor', 'toString', 'hasOwnProperty'] as Alias[]) {
      const { id } = await installFiles(registry, { a: alias }, { alias });
      expect((await registry.resolve(alias)).entry.id).toBe(id);
    }
    expect((await rejection(registry.resolve('valueOf'))).code).toBe('not_found_locally');
  });

  it('is read back as it was written', async () => {
    const registry = await openTestRegistry();
    await installFiles(registry, { a: 'b' }, { alias: 'mouse' as Alias, entry: { tags: ['x'], metrics: { loss: 1 } } });
    const text = await readFile(registry.paths.registryFile, 'utf8');
    expect(encodeIndex(decodeIndex(text, 'x').index)).toBe(text);
  });

  it('never has one alias, digest, id or folder twice', async () => {
    const registry = await openTestRegistry();
    await installFiles(registry, { a: 'b' }, { alias: 'mouse' as Alias });
    const { index } = decodeIndex(await readFile(registry.paths.registryFile, 'utf8'), 'x');
    const [entry] = [...index.byId.values()];
    if (entry === undefined) throw new Error('there is no entry');
    const other = { ...entry, id: 'b', digest: 'b'.repeat(64) as Digest, folder: 'x_b', alias: 'rat' as Alias };
    expect(makeIndex([entry, other]).byId.size).toBe(2);
    for (const key of ['id', 'digest', 'folder', 'alias'] as const) {
      expect(() => makeIndex([entry, { ...other, [key]: entry[key] }])).toThrow(key);
    }
  });

  it('shows what another process wrote', async () => {
    const first = await openTestRegistry();
    const second = await openTestRegistry({ home: first.paths.root });
    expect((await second.list(all)).total).toBe(0);
    const { digest } = await installFiles(first, { a: 'b' });
    expect((await second.find(digest as Digest))?.digest).toBe(digest);
  });

  it('clears away what killed writers and waiters left, but not what one that lives has just written', async () => {
    const registry = await openTestRegistry();
    const { models, staging } = registry.paths;
    const self = { host: hostname(), pidNamespace: await readlink('/proc/self/ns/pid').catch(() => undefined) };
    const owner = (pid: number) => JSON.stringify({ ...self, pid, token: 'x' });
    const taker = (digit: string) => `.lock.${digit.repeat(24)}.tmp`;
    await writeFile(join(models, 'registry.json.1-0123456789ab.tmp'), '{');
    for (const lock of [join(models, 'registry'), join(staging, `import-${'0'.repeat(16)}`)]) {
      await writeFile(`${lock}${taker('a')}`, owner(process.pid));
      await writeFile(`${lock}${taker('d')}`, owner(NO_PROCESS));
      await writeFile(`${lock}${taker('e')}`, '');
      await writeFile(`${lock}${taker('f')}`, '');
      await utimes(`${lock}${taker('f')}`, 1, 1);
    }
    const other = await openTestRegistry({ home: registry.paths.root });
    await installFiles(other, { a: 'b' });
    for (const folder of [models, staging]) {
      const left = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
      expect(left.map((name) => name.at(-5)).sort()).toEqual(['a', 'e']);
    }
  });
});
