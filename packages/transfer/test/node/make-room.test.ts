import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Registry, RoomMade, RoomOptions } from '@model-rtc/registry';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { makeRoomFor } from '../../src/index.ts';

const COMING = { name: 'mouse', bytes: 900 };

/** A registry in which a model has to go for another one, unless nothing is missing. */
async function registryThatEvicts(evicted: RoomMade['evicted']) {
  const root = await temporaryFolder();
  const asked: RoomOptions[] = [];
  const registry = {
    paths: { transfers: join(root, 'transfers'), staging: join(root, 'staging') },
    find: async () => undefined,
    async makeRoom(options: RoomOptions): Promise<RoomMade> {
      asked.push(options);
      return { evicted, usedBytes: 0 };
    },
  } as unknown as Registry;
  return { registry, asked };
}

const OLD = {
  id: '4f1c22ab',
  digest: undefined,
  modelType: 'flax',
  bytes: 500,
  lastUsedAt: '2026-01-01T00:00:00.000Z',
};

describe('room for a model that nobody asked for', () => {
  it('is not made by removing others', async () => {
    const { registry, asked } = await registryThatEvicts([OLD]);
    const cap = { capBytes: 1000, mayEvict: false, onEvicted: () => expect('an eviction').toBe('none') };
    await expect(makeRoomFor({ registry, cap, coming: COMING })).rejects.toMatchObject({
      code: 'storage_full',
      details: { setting: 'storage.cap', neededBytes: 900, capBytes: 1000 },
    });
    expect(asked).toMatchObject([{ bytes: 900, dryRun: true }]);
  });

  it('is there when nothing has to go, and others may still make it for models that were asked for', async () => {
    const free = await registryThatEvicts([]);
    expect(await makeRoomFor({ ...free, cap: { capBytes: 1000, mayEvict: false }, coming: COMING })).toEqual([]);
    const full = await registryThatEvicts([OLD]);
    let gone: RoomMade['evicted'] = [];
    const onEvicted = (models: RoomMade['evicted']): void => {
      gone = models;
    };
    await makeRoomFor({ ...full, cap: { capBytes: 1000, onEvicted }, coming: COMING });
    expect(gone).toEqual([OLD]);
    expect(full.asked).toMatchObject([{ dryRun: false }]);
  });

  it('is told of where it is missing, with what was to come', async () => {
    const { registry } = await registryThatEvicts([OLD]);
    const refused: [name: string, code: string][] = [];
    const onRefused = ({ name }: { name: string }, { code }: { code: string }): void => void refused.push([name, code]);
    const cap = { capBytes: 1000, mayEvict: false, onRefused };
    await expect(makeRoomFor({ registry, cap, coming: COMING })).rejects.toThrow();
    await expect(makeRoomFor({ registry, cap, coming: COMING, dryRun: true })).rejects.toThrow();
    expect(refused).toEqual([['mouse', 'storage_full']]);
  });
});
