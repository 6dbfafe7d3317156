import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Layout, planLayout } from '../../src/core/index.ts';
import { hubContents } from './contents.ts';
import { type DiskScene, DiskUser } from './disk-user.ts';
import { contentsOf, makeFileModel, makeModel, seededBytes, type TestModel } from './models.ts';

const block = seededBytes(3000, 50);
/** Chunks that span files or repeat, and empty files first, between others and last. */
const mixed = makeModel(
  {
    'empty first': Buffer.alloc(0),
    'a/spans.bin': seededBytes(7500, 51),
    'a/tiny': seededBytes(1, 52),
    'a/empty': Buffer.alloc(0),
    'one chunk': seededBytes(499, 53),
    'repeats.bin': Buffer.concat([block, block, seededBytes(3000, 54), block]),
    'last/empty': Buffer.alloc(0),
  },
  [5000, 3000, 3000, 3000, 3000, 3000],
);
const tiny = makeModel({ a: Buffer.from('1'), b: Buffer.from('22'), c: Buffer.from('333') }, [2]);
const plain = makeFileModel(50_000, 10_000);
const PLAIN_CHUNKS = [0, 1, 2, 3, 4];
const otherBytes = seededBytes(10_000, 99);

/**
 * What every disk keeps to, as the docstring of `DiskPort` says.
 * @param setUp - makes an empty disk for the layout
 */
export function diskSuite(name: string, setUp: (layout: Layout) => Promise<DiskScene>): void {
  describe(`${name} as a disk`, () => {
    const users: DiskUser[] = [];

    async function use(
      model: TestModel,
      changed: (scene: DiskScene) => DiskScene = (scene) => scene,
    ): Promise<DiskUser> {
      const layout = planLayout(contentsOf(model));
      return again(model, changed(await setUp(layout)), layout);
    }

    function again(model: TestModel, scene: DiskScene, layout = planLayout(contentsOf(model))): DiskUser {
      const user = new DiskUser(model, layout, scene);
      users.push(user);
      return user;
    }

    async function expectWhole(user: DiskUser, model: TestModel): Promise<void> {
      await user.until('whole');
      await user.flush();
      for (const [path, bytes] of model.files) {
        expect({ path, same: user.scene.read(path)?.equals(bytes) }).toEqual({ path, same: true });
      }
    }

    afterEach(async () => {
      for (const user of users.splice(0)) await user.close();
    });

    describe('whose model', () => {
      it.each([
        ['of one file', plain],
        ['with empty files, chunks that span files and chunks that repeat', mixed],
        ['of files that are smaller than a chunk', tiny],
      ])('%s is put together whatever the order of its chunks', async (_what, model) => {
        for (const order of [(ids: number[]) => ids, (ids: number[]) => ids.reverse()]) {
          const user = await use(model);
          user.store(...order(user.ids));
          await user.until('whole');
          expect(user.chunksOf('verified')).toEqual(order(user.ids));
          expect(user.hashedBytes).toBe(model.manifest.files.reduce((sum, { size }) => sum + size, 0));
          await expectWhole(user, model);
          expect([...user.scene.present()]).toEqual(user.ids.map(() => 1));
        }
      });

      it.each([
        ['without files', makeModel({}, [1])],
        ['of empty files alone', makeModel({ a: Buffer.alloc(0), 'b/c': Buffer.alloc(0) }, [1])],
      ])('%s is whole from the start', async (_what, model) => {
        const user = await use(model);
        await expectWhole(user, model);
      });

      it('goes on where an earlier run ended, and is whole at once where that had all', async () => {
        const first = await use(mixed);
        first.store(0, 2);
        await first.until('verified', 2);
        await first.close();
        const second = again(mixed, first.scene);
        second.store(...second.ids.filter((id) => id !== 0 && id !== 2));
        await second.until('whole');
        await second.close();
        const third = again(mixed, first.scene);
        expect(third.of('verified')).toEqual([]);
        await expectWhole(third, mixed);
      });

      it('ends right from any order of right and wrong chunks, in any batches', async () => {
        const commands = fc.array(fc.record({ chunk: fc.nat({ max: 5 }), right: fc.boolean(), post: fc.boolean() }));
        await fc.assert(
          fc.asyncProperty(commands, async (list) => {
            const user = await use(mixed);
            const ids = user.ids;
            const batch = list.map(({ chunk, right }) =>
              user.storing(chunk % ids.length, right ? {} : { as: otherBytes.subarray(0, 400) }),
            );
            for (const [at, { post }] of list.entries()) if (post) user.post(...batch.splice(0, at));
            user.post(...batch, ...ids.map((id) => user.storing(id)));
            await user.until('verified', list.filter(({ right }) => right).length + ids.length);
            expect(user.of('wrong')).toHaveLength(list.filter(({ right }) => !right).length);
            await expectWhole(user, mixed);
            await user.close();
          }),
          { numRuns: 15 },
        );
      });
    });

    describe('in what it tells', () => {
      it('follows the order of the commands', async () => {
        const user = await use(plain);
        user.store(3, 1);
        user.post(user.storing(4, { as: otherBytes }), user.storing(2), user.storing(4));
        user.store(0);
        await user.until('whole');
        const order = user.events.flatMap((event) => ('buffer' in event ? [`${event.type} ${event.chunk}`] : []));
        expect(order).toEqual(['verified 3', 'verified 1', 'wrong 4', 'verified 2', 'verified 4', 'verified 0']);
      });

      it('comes in a later turn than the call that caused it', async () => {
        const empty = await use(tiny);
        empty.store(...empty.ids);
        for (let i = 0; i < 10; i++) await Promise.resolve();
        expect(empty.events).toEqual([]);
        await empty.until('whole');
      });

      it('is that a chunk is verified when its bytes and its note in the journal are there', async () => {
        const seen: unknown[] = [];
        const user: DiskUser = await use(mixed, (scene) => ({
          ...scene,
          open: (onEvents) =>
            scene.open((events) => {
              for (const event of events) {
                if (event.type !== 'verified') continue;
                seen.push([event.chunk, scene.present()[event.chunk], user.isStored(event.chunk)]);
              }
              onEvents(events);
            }),
        }));
        for (const id of user.ids) user.store(id);
        await user.until('whole');
        expect(seen).toEqual(user.ids.map((id) => [id, 1, true]));
      });

      it('is that the model is whole when all of it is there, and once', async () => {
        const user = await use(plain);
        user.store(0, 1, 2, 4);
        await user.until('hashed', 3);
        await user.untilDone();
        expect(user.of('whole')).toEqual([]);
        user.store(3);
        await user.until('whole');
        user.store(1);
        await user.untilDone();
        expect(user.of('whole')).toHaveLength(1);
      });

      it('are the chunks of a check that are there and right', async () => {
        const user = await use(plain);
        user.store(1, 2, 3);
        await user.until('verified', 3);
        user.scene.damage('weights.bin', 25_000);
        user.post({ type: 'check', chunks: PLAIN_CHUNKS });
        await user.until('checked', 5);
        const present = user.of('checked').flatMap((event) => (event.present ? [event.chunk] : []));
        expect(present.sort()).toEqual([1, 3]);
      });
    });

    describe('given a wrong chunk', () => {
      it('changes nothing, where nothing was before and where right bytes are', async () => {
        const user = await use(plain);
        user.store(1, 2);
        await user.until('verified', 2);
        user.post(...[1, 2, 3].map((chunk) => user.storing(chunk, { as: otherBytes })));
        await user.until('wrong', 3);
        expect([...user.scene.present()]).toEqual([0, 1, 1, 0, 0]);
        expect(PLAIN_CHUNKS.map((chunk) => user.isStored(chunk))).toEqual([false, true, true, false, false]);
        expect(user.scene.read('weights.bin', 30_000, 40_000)?.equals(otherBytes)).not.toBe(true);
        user.store(0, 3, 4);
        await user.until('whole');
      });
    });

    describe('and its buffers', () => {
      it('take pieces anywhere', async () => {
        const user = await use(plain);
        const memory = user.port.allocate(1000);
        expect(memory.bytes.length).toBeGreaterThanOrEqual(1000);
        memory.write(990, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
        memory.write(0, Uint8Array.of(11, 12));
        expect([...memory.bytes.subarray(0, 3)]).toEqual([11, 12, 0]);
        expect([...memory.bytes.subarray(989, 1000)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      });

      it('are read before their chunk is answered and not after it, and their memory is kept for the next', async () => {
        const user = await use(plain);
        const memory = user.port.allocate(10_000);
        for (const chunk of PLAIN_CHUNKS.toReversed()) {
          memory.write(0, user.bytesOf(chunk));
          user.post({ type: 'store', chunk, buffer: 7, memory: chunk === 4 ? memory.bytes : undefined });
          await user.until('verified', 5 - chunk);
          memory.write(0, otherBytes);
        }
        expect(user.of('verified').every(({ buffer }) => buffer === 7)).toBe(true);
        await expectWhole(user, plain);
      });

      it('may be larger than the chunk, and come with other memory once they were forgotten', async () => {
        const user = await use(mixed);
        for (const chunk of user.ids) {
          user.post(user.storing(chunk, { buffer: 3, bufferBytes: 16_384 }), { type: 'forget', buffer: 3 });
        }
        await user.until('whole');
        expect(user.of('wrong')).toEqual([]);
      });
    });

    describe('that does not keep its bytes', () => {
      it('are lost, and the model is whole when they came again', async () => {
        const user = await use(plain);
        user.store(1, 2, 3, 4);
        await user.until('verified', 4);
        user.scene.damage('weights.bin', 25_000);
        user.store(0);
        await user.until('lost');
        expect(user.of('lost')).toMatchObject([{ chunks: [2] }]);
        expect(user.of('whole')).toEqual([]);
        user.store(2);
        await expectWhole(user, plain);
      });

      it('are found by the next run, whatever was noted of them', async () => {
        const first = await use(plain);
        first.store(...PLAIN_CHUNKS);
        await first.until('whole');
        await first.close();
        first.scene.damage('weights.bin', 35_000);
        const user = again(plain, first.scene);
        await user.until('lost');
        expect(user.of('lost')).toMatchObject([{ chunks: [3] }]);
        user.store(3);
        await expectWhole(user, plain);
      });

      it('end the transfer when that happens again and again', async () => {
        const user = await use(plain);
        user.store(1, 2, 3, 4);
        await user.until('verified', 4);
        for (const chunk of [0, 1, 2]) {
          user.scene.damage('weights.bin', (chunk + 1) * 10_000);
          user.store(chunk);
          await user.until('lost', chunk + 1);
        }
        user.scene.damage('weights.bin', 40_000);
        user.store(3);
        await user.until('failed');
        expect(user.of('lost').map(({ chunks }) => chunks)).toEqual([[1], [2], [3]]);
        expect(user.of('failed')).toMatchObject([
          { error: { code: 'verification_failed', details: { file: 'weights.bin' } } },
        ]);
      });
    });

    describe('with ranges, which have no digests', () => {
      const half = makeModel({ 'w.bin': seededBytes(2_500_000, 61), small: seededBytes(10, 62) }, [2_000_000]);
      const layout = planLayout(hubContents(half, 1000));
      const ranges = ['w.bin', 'w.bin', 'w.bin', 'small'];
      const bytesOf = (id: number): Buffer => {
        const file = half.files.get(ranges[id] ?? '') as Buffer;
        return id === 3 ? file : file.subarray(id * 1_048_576, (id + 1) * 1_048_576);
      };
      const storeRight = (user: DiskUser, ids: number[]): void =>
        user.post(...ids.map((id) => user.storing(id, { as: bytesOf(id) })));

      it('stores them, verifies them by the hashes of their files, and tells the SHA-256 of a file that had none', async () => {
        const user = again(half, await setUp(layout), layout);
        storeRight(user, [3, 1, 2, 0]);
        await expectWhole(user, half);
        const small = half.manifest.files[1];
        expect(user.of('file_hash')).toMatchObject([{ file: 1, sha256: small?.sha256 }]);
      });

      it('tells of a wrong file with its ranges, and is whole when they came right', async () => {
        const user = again(half, await setUp(layout), layout);
        storeRight(user, [1, 2, 3]);
        user.post(user.storing(0, { as: Buffer.from(bytesOf(0)).fill(0, 5, 9) }));
        await user.until('wrong_file');
        expect(user.of('wrong_file')).toMatchObject([{ file: 0, chunks: [0, 1, 2] }]);
        expect([...user.scene.present()]).toEqual([0, 0, 0, 1]);
        storeRight(user, [0, 1, 2]);
        await expectWhole(user, half);
      });

      it('keeps them for the next run, which finds those that are no longer as they were written', async () => {
        const first = again(half, await setUp(layout), layout);
        storeRight(first, [0, 1, 3]);
        await first.until('verified', 3);
        await first.close();
        first.scene.damage('w.bin', 1_500_000);
        const second = again(half, first.scene, layout);
        await second.until('lost');
        expect(second.of('lost')).toMatchObject([{ chunks: [1] }]);
        storeRight(second, [1, 2]);
        await expectWhole(second, half);
      });
    });

    describe('at its end', () => {
      it('is a failure where right chunks do not give the files, and nothing is done after it', async () => {
        const [file] = plain.manifest.files;
        const broken = planLayout(contentsOf(plain));
        const lying = { ...broken, files: broken.files.map((each) => ({ ...each, sha256: plain.digest })) };
        const user = again(plain, await setUp(lying), lying);
        user.store(...PLAIN_CHUNKS);
        await user.until('failed');
        expect(user.events.at(-1)).toMatchObject({
          error: { code: 'verification_failed', details: { file: file?.path } },
        });
        const told = user.events.length;
        user.store(1);
        user.post({ type: 'check', chunks: [1] }, { type: 'flush' });
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
        await user.close();
        expect(user.events).toHaveLength(told);
      });

      it('keeps every chunk that was posted before it, and tells nothing more', async () => {
        const user = await use(mixed);
        user.store(0, 1);
        user.store(2);
        const closing = user.close();
        const told = user.events.length;
        await closing;
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect(user.events).toHaveLength(told);
        expect([...user.scene.present()].slice(0, 3)).toEqual([1, 1, 1]);
        expect([0, 1, 2].every((chunk) => user.isStored(chunk))).toBe(true);
      });
    });
  });
}
