import { describe, expect, it } from '@jest/globals';
import { type AliasConflict, ModelRtcError } from '@model-rtc/protocol';
import { failure, importBytes, openLab, seededBytes } from './support/lab.ts';

const BYTES = seededBytes(5000, 1);

describe('pulling under an alias that another model here has', () => {
  it.each<[AliasConflict, string | undefined, string | undefined]>([
    ['keep', undefined, 'mouse'],
    ['rename', 'mouse-2', 'mouse'],
    ['overwrite', 'mouse', undefined],
  ])('with %s calls it %s, and the other one %s', async (aliasConflict, alias, ownersAlias) => {
    const { client, there, here } = await openLab();
    await importBytes(there, BYTES, { alias: 'mouse' });
    const owner = await importBytes(here, seededBytes(10, 2), { alias: 'mouse' });
    const { entry, aliasTakenFrom } = await client.pullModel('mouse', { aliasConflict });
    expect(entry.alias).toBe(alias);
    expect(aliasTakenFrom).toBe(ownersAlias === undefined ? owner.id : undefined);
    expect((await here.resolve(owner.id)).entry.alias).toBe(ownersAlias);
    const again = await client.pullModel('mouse', { aliasConflict });
    expect(again).toMatchObject({ outcome: 'already_there', transferredBytes: 0 });
    expect(again.entry.alias).toBe(alias);
    expect(again.aliasTakenFrom).toBeUndefined();
  });

  it('settles it for a model that is here already, too, when the alias is asked for', async () => {
    const { client, there, here } = await openLab();
    const { id } = await importBytes(there, BYTES, { alias: 'theirs' });
    await importBytes(here, BYTES, { alias: 'mine' });
    await importBytes(here, seededBytes(10, 2), { alias: 'mouse' });
    expect(await failure(client.pullModel(id, { alias: 'mouse' }))).toMatchObject({ code: 'alias_taken' });
    const pull = async (aliasConflict: AliasConflict) =>
      (await client.pullModel(id, { alias: 'mouse', aliasConflict })).entry.alias;
    expect(await pull('keep')).toBe('mine');
    expect(await pull('rename')).toBe('mouse-2');
    expect(await pull('overwrite')).toBe('mouse');
  });

  it('may be kept while the model is verified', async () => {
    const { client, there, here } = await openLab();
    await importBytes(there, BYTES, { alias: 'mouse' });
    const owner = await importBytes(here, seededBytes(10, 2), { alias: 'mouse' });
    const { entry } = await client.pullModel('mouse', { ifExists: 'overwrite', aliasConflict: 'keep' });
    expect(entry.alias).toBeUndefined();
    expect((await here.resolve('mouse')).entry.id).toBe(owner.id);
  });

  it.each([
    ['rename', 'mouse-2'],
    ['keep', undefined],
    [undefined, 'alias_taken'],
  ] as const)('with %s settles one that is taken while the model is on its way', async (aliasConflict, expected) => {
    const lab = await openLab({
      handlers: {
        get_manifest: async ({ digest }) => {
          await importBytes(lab.here, seededBytes(10, 2), { alias: 'mouse' });
          return { manifest: await lab.there.manifest(digest) };
        },
      },
    });
    await importBytes(lab.there, BYTES, { alias: 'mouse' });
    const ended = await lab.client.pullModel('mouse', { aliasConflict }).then(
      ({ entry }) => entry.alias,
      (error: ModelRtcError) => error.code,
    );
    expect(ended).toBe(expected);
    expect((await lab.here.resolve('mouse')).entry.size).toBe(10);
  });
});

describe('pushing under an alias that another model there has', () => {
  it.each<[AliasConflict, string | undefined, string | undefined]>([
    ['keep', undefined, 'mouse'],
    ['rename', 'mouse-2', 'mouse'],
    ['overwrite', 'mouse', undefined],
  ])('with %s is told that it is called %s there, and the other one %s', async (aliasConflict, alias, ownersAlias) => {
    const { client, there, here } = await openLab();
    const owner = await importBytes(there, seededBytes(10, 2), { alias: 'mouse' });
    await importBytes(here, BYTES, { alias: 'mouse' });
    const pushed = await client.pushModel('mouse', { aliasConflict });
    expect(pushed.entry.alias).toBe(alias);
    expect(pushed.aliasTakenFrom).toBe(ownersAlias === undefined ? owner.id : undefined);
    expect((await there.resolve(pushed.entry.id)).entry.alias).toBe(alias);
    expect((await there.resolve(owner.id)).entry.alias).toBe(ownersAlias);
    expect((await here.resolve(pushed.entry.id)).entry.alias).toBe('mouse');
  });
});

describe('the worker of a pull', () => {
  it('is told what the model is called here, even when nothing had to be fetched', async () => {
    const reports: unknown[] = [];
    const { client, there } = await openLab({
      handlers: {
        report_installed: async (params) => {
          reports.push(params);
          return {};
        },
      },
    });
    const { digest } = await importBytes(there, BYTES, { alias: 'mouse' });
    await client.pullModel('mouse');
    await client.pullModel('mouse', { alias: 'mine' });
    expect(reports).toEqual([
      { digest, alias: 'mouse' },
      { digest, alias: 'mine' },
    ]);
  });

  it('may not know this request or fail at it: the model is here all the same', async () => {
    for (const code of ['protocol_mismatch', 'unexpected', 'cancelled'] as const) {
      const { client, there, here } = await openLab({
        handlers: {
          report_installed: async () => {
            throw new ModelRtcError(code, 'It cannot be told.');
          },
        },
      });
      await importBytes(there, BYTES, { alias: 'mouse' });
      expect((await client.pullModel('mouse')).outcome).toBe('pulled');
      expect((await here.resolve('mouse')).entry.size).toBe(BYTES.length);
    }
  });
});

describe('a reference to a model at the worker', () => {
  it('is the worker’s name first, and says which other model it names here', async () => {
    const { client, there, here } = await openLab();
    const theirs = await importBytes(there, BYTES, { alias: 'mouse' });
    const mine = await importBytes(here, seededBytes(10, 2), { alias: 'mouse' });
    const named = { namedBy: 'worker', otherHere: mine.id };
    expect(await client.modelInfo('mouse')).toMatchObject({ entry: { id: theirs.id }, ...named });
    const pulled = await client.pullModel('mouse', { alias: 'other' });
    expect(pulled).toMatchObject({ entry: { id: theirs.id }, ...named });
  });

  it('is this machine’s name where the worker knows no such name', async () => {
    const { client, there, here } = await openLab();
    const { id, original } = await importBytes(there, BYTES, { alias: 'theirs' });
    const mine = await importBytes(here, BYTES, { alias: 'mine' });
    for (const ref of ['mine', mine.localPath, mine.original]) {
      expect(await client.modelInfo(ref)).toMatchObject({ entry: { id, alias: 'theirs' }, namedBy: 'client' });
      expect(await client.checkModel(ref)).toMatchObject({ exists: true, entry: { alias: 'theirs' } });
    }
    expect(await client.pullModel('mine')).toMatchObject({ outcome: 'already_there', namedBy: 'client' });
    expect((await failure(client.modelInfo(original))).code).toBe('not_found');
    expect(await client.checkModel(original)).toMatchObject({ exists: false });
  });

  it('that the worker does not have under either name says so, with this machine’s id', async () => {
    const { client, here } = await openLab();
    const mine = await importBytes(here, BYTES, { alias: 'mine' });
    const error = await failure(client.pullModel('mine'));
    expect(error).toMatchObject({ code: 'not_found', exitCode: 3, details: { id: mine.id } });
    expect(await client.checkModel('mine')).toMatchObject({ exists: false });
  });

  it('that is a path is never told to the worker', async () => {
    const asked: string[] = [];
    const { client } = await openLab({
      handlers: {
        get_model_info: async ({ ref }) => {
          asked.push(ref);
          throw new ModelRtcError('not_found', 'No such model.');
        },
        check_model_exists: async ({ ref }) => {
          asked.push(ref);
          return { exists: false, valid: false, problems: [] };
        },
      },
    });
    for (const ref of ['./secret project', '/home/me/secret', 'C:\\secret']) {
      expect((await failure(client.pullModel(ref))).code).toBe('not_found');
      expect((await client.checkModel(ref)).exists).toBe(false);
    }
    expect(asked).toEqual([]);
  });

  it('that is the start of several digests lists the candidates', async () => {
    const candidates = [{ id: 'abcdef12', alias: 'mouse' }, { id: 'abcdef99' }];
    const { client } = await openLab({
      handlers: {
        get_model_info: async () => {
          throw new ModelRtcError('ambiguous', '"abcdef" names 2 models: abcdef12 (mouse), abcdef99.', {
            details: { candidates },
          });
        },
      },
    });
    const error = await failure(client.pullModel('abcdef'));
    expect(error).toMatchObject({ code: 'ambiguous', exitCode: 2, details: { candidates } });
    expect(error.message).toContain('abcdef12 (mouse)');
  });
});
