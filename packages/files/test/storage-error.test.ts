import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { freeBytes, requireRoom } from '../src/free-space.ts';
import { explainSystemError, storageError } from '../src/storage-error.ts';

function systemError(code: string, fields: object = {}): Error {
  return Object.assign(new Error(`${code}: as Node says it`), { code, ...fields });
}

describe('an error of the file system', () => {
  it.each([
    ['ENOSPC', /disk is full/, /Free some space/],
    ['EDQUOT', /quota is used up/, /Free some space/],
    ['EFBIG', /larger than is allowed/, /ulimit -f/],
    ['EMFILE', /this process has too many files open/, /ulimit -n/],
    ['ENFILE', /this machine has too many files open/, /fs\.file-max/],
    ['ENOTDIR', /a file, not a folder/, /Check the path/],
    ['EISDIR', /a folder, not a file/, /Check the path/],
    ['ELOOP', /symbolic link/, /Check the path/],
    ['EROFS', /read-only/, /another disk/],
    ['EIO', /disk or network share fails/, /Check it/],
  ])('says what %s means and what to do', (code, reason, advice) => {
    const { message } = storageError(systemError(code), '/data/a.json', 'written');
    expect(message).toMatch(/^\/data\/a\.json cannot be written: /);
    expect(message).toMatch(reason);
    expect(message).toContain(`(${code})`);
    expect(message).toMatch(advice);
  });

  it('tells a folder that does not exist from a file that is gone', () => {
    const missing = (path: string, action: string) => storageError(systemError('ENOENT'), path, action).message;
    expect(missing('/no-such-folder/a.json', 'written')).toMatch(/its folder does not exist.*choose another path/);
    expect(missing('/a.json', 'written')).toMatch(/it is gone/);
    expect(missing('/no-such-folder/a.json', 'read')).toMatch(/it is gone/);
  });

  it('calls a disk full only when it is', () => {
    expect(storageError(systemError('ENOSPC'), '/a', 'written').code).toBe('storage_full');
    const tooLarge = storageError(systemError('EFBIG'), '/a', 'written');
    expect(tooLarge.code).toBe('storage');
    expect(tooLarge.message).not.toMatch(/disk is full/);
  });

  it('speaks of the data folder only where something is written', () => {
    const unreadable = storageError(systemError('EACCES'), '/lab/run7/best.ckpt', 'read').message;
    expect(unreadable).toMatch(/permission to read it/);
    expect(unreadable).not.toContain('MODEL_RTC_HOME');
    expect(storageError(systemError('EACCES'), '/data', 'created').message).toContain('MODEL_RTC_HOME');
  });
});

describe('an error that nobody explained', () => {
  it('gets the sentence of its code, with its path where it has one', () => {
    const loading = explainSystemError(ModelRtcError.from(systemError('EMFILE')));
    expect(loading.message).toMatch(/^This process has too many files open \(.*ulimit -n/);
    const opening = explainSystemError(ModelRtcError.from(systemError('EACCES', { path: '/x' })));
    expect(opening.message).toMatch(/^\/x cannot be used: your user may not/);
  });

  it('leaves the text of one that was made on purpose', () => {
    const own = ModelRtcError.because(systemError('EACCES'), 'storage', 'The identity key cannot be read.');
    expect(explainSystemError(own)).toBe(own);
    const unknown = ModelRtcError.from(new Error('a bug'));
    expect(explainSystemError(unknown)).toBe(unknown);
  });
});

describe('free space', () => {
  it('is unknown, not none, where a file system counts no blocks', async () => {
    const nothingSaid = async () => ({ blocks: 0, bavail: 0, bsize: 4096 });
    expect(await freeBytes('/mnt/ram', nothingSaid)).toBe(Number.POSITIVE_INFINITY);
    expect(await freeBytes('/mnt/full', async () => ({ blocks: 10, bavail: 0, bsize: 4096 }))).toBe(0);
  });

  it('is compared with what is needed on the real file system', async () => {
    const needed = { folder: process.cwd(), what: 'The copy', otherwise: 'pass --link' };
    await expect(requireRoom({ ...needed, bytes: 1 })).resolves.toBeUndefined();
    await expect(requireRoom({ ...needed, bytes: 2 ** 60 })).rejects.toMatchObject({ code: 'storage_full' });
  });
});
