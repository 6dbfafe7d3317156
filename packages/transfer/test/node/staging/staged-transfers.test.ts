import { mkdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acquireLock } from '@model-rtc/files';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { discardStaging, stagedNeeds, stagedTransfers } from '../../../src/index.ts';
import { stagingPaths } from '../../../src/node/staging/staging.ts';
import { makeModel, seededBytes } from '../../support/models.ts';
import { breakOff, temporaryFolder } from '../../support/pulling.ts';

const model = makeModel({ a: seededBytes(55_000, 1), 'b/c': seededBytes(45_000, 2) }, [10_000]);
const other = makeModel({ a: seededBytes(30_000, 3) }, [10_000]);

describe('what unfinished transfers still need', () => {
  it('is what their journals do not have, for each of them', async () => {
    const staging = await temporaryFolder();
    await breakOff(staging, model, 4);
    await breakOff(staging, other, 1);
    const needs = new Map((await stagedNeeds(staging)).map((need) => [need.model, need.digests]));
    expect([...needs.keys()].sort()).toEqual([model.digest, other.digest].sort());
    expect(needs.get(model.digest)?.size).toBe(6);
    expect(needs.get(other.digest)?.size).toBe(2);
    for (const digest of needs.get(model.digest) ?? []) expect(model.chunks.has(digest)).toBe(true);
  });

  it('is everything when the journal is lost, and nothing when nobody can say what it is of', async () => {
    const staging = await temporaryFolder();
    await breakOff(staging, model, 4);
    const paths = stagingPaths(staging, model.digest);
    await rm(paths.journal);
    expect((await stagedNeeds(staging))[0]?.digests.size).toBe(10);
    await writeFile(paths.manifest, '{"version": 1, "files": [');
    expect(await stagedNeeds(staging)).toEqual([]);
    expect(await stagedNeeds(join(staging, 'nowhere'))).toEqual([]);
  });
});

describe('the unfinished transfers', () => {
  it('are listed with their room on the disk, the oldest first', async () => {
    const staging = await temporaryFolder();
    await breakOff(staging, model, 4);
    await breakOff(staging, other, 1);
    const { files, manifest, journal } = stagingPaths(staging, other.digest);
    const past = new Date('2026-01-02T03:04:05Z');
    for (const path of [join(files, 'a'), files, manifest, journal]) await utimes(path, past, past);
    const [first, second] = await stagedTransfers(staging);
    expect(first).toMatchObject({ model: other.digest, lastWrittenAt: past, isRunning: false });
    expect(second).toMatchObject({ model: model.digest, isRunning: false });
    expect(second?.bytes).toBeGreaterThan(0);
  });

  it('count what a half-filled file takes, and neither links nor what these lead to', async () => {
    const staging = await temporaryFolder();
    const { folder } = stagingPaths(staging, 'a'.repeat(64) as Digest);
    await mkdir(folder);
    await writeFile(join(folder, 'holes'), '');
    await truncate(join(folder, 'holes'), 1e9);
    const outside = await temporaryFolder();
    await writeFile(join(outside, 'big'), Buffer.alloc(100_000));
    await symlink(outside, join(folder, 'files'));
    const [transfer] = await stagedTransfers(staging);
    expect(transfer?.bytes).toBeLessThan(100_000);
  });

  it('are running while a process holds their lock, and are not thrown away then', async () => {
    const staging = await temporaryFolder();
    await breakOff(staging, model, 4);
    await using _lock = await acquireLock(stagingPaths(staging, model.digest).lock);
    expect(await stagedTransfers(staging)).toMatchObject([{ isRunning: true }]);
    const discarding = discardStaging({ staging, key: model.digest, waitMs: 0 });
    const error: unknown = await discarding.catch((thrown: unknown) => thrown);
    expect(ModelRtcError.from(error).code).toBe('busy');
    expect((await stagedNeeds(staging))[0]?.digests.size).toBe(6);
  });

  it('are gone once they are discarded', async () => {
    const staging = await temporaryFolder();
    await breakOff(staging, model, 4);
    await discardStaging({ staging, key: model.digest, waitMs: 0 });
    expect(await stagedTransfers(staging)).toEqual([]);
  });
});
