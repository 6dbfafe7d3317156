import { afterEach, describe, expect, it } from '@jest/globals';
import { type Layout, planLayout } from '../../src/core/index.ts';
import { hubContents } from './contents.ts';
import { type DiskScene, DiskUser } from './disk-user.ts';
import { makeModel, seededBytes } from './models.ts';

const MEBI = 1024 * 1024;
const large = seededBytes(2 * MEBI + 500, 1);
const small = seededBytes(700, 2);
const model = makeModel({ 'large.bin': large, empty: Buffer.alloc(0), 'small.bin': small }, [1000]);
/** The large file has a SHA-256 and three ranges, the small one a hash of git's and one range. */
const layout = planLayout(hubContents(model, 1000));
const RANGES = [large.subarray(0, MEBI), large.subarray(MEBI, 2 * MEBI), large.subarray(2 * MEBI), small];
const SMALL_SHA256 = model.manifest.files[2]?.sha256;

/** What every disk does with chunks that have no digest. @param setUp - makes an empty disk for the layout */
export function rangeDiskSuite(name: string, setUp: (layout: Layout) => Promise<DiskScene>): void {
  describe(`${name} as a disk of ranges`, () => {
    const users: DiskUser[] = [];

    async function use(scene?: DiskScene): Promise<DiskUser> {
      const user = new DiskUser(model, layout, scene ?? (await setUp(layout)));
      users.push(user);
      return user;
    }

    const store = (user: DiskUser, ...ids: number[]): void =>
      user.post(...ids.map((id) => user.storing(id, { as: RANGES[id] as Buffer })));
    const damaged = (id: number): Buffer => {
      const bytes = Buffer.from(RANGES[id] as Buffer);
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      return bytes;
    };

    const expectFiles = ({ scene }: DiskUser): void => {
      const same = [scene.read('large.bin')?.equals(large), scene.read('small.bin')?.equals(small)];
      expect(same).toEqual([true, true]);
    };

    afterEach(async () => {
      for (const user of users.splice(0)) await user.close();
    });

    it('is whole when its files are right, and tells the SHA-256 that nobody knew', async () => {
      for (const order of [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
      ]) {
        const user = await use();
        store(user, ...order);
        await user.until('whole');
        await user.flush();
        expect(user.chunksOf('verified')).toEqual(order);
        expect(user.of('file_hash')).toEqual([{ type: 'file_hash', file: 2, sha256: SMALL_SHA256 }]);
        expectFiles(user);
        expect([...user.scene.present()]).toEqual([1, 1, 1, 1]);
      }
    });

    it('tells which ranges a wrong file loses, and is whole when they came right', async () => {
      const user = await use();
      user.post(user.storing(1, { as: damaged(1) }), user.storing(3, { as: damaged(3) }));
      store(user, 0, 2);
      await user.until('wrong_file', 1);
      expect(user.of('wrong_file')).toEqual([{ type: 'wrong_file', file: 0, chunks: [0, 1, 2] }]);
      expect([...user.scene.present()]).toEqual([0, 0, 0, 1]);
      store(user, 0, 1, 2);
      await user.until('wrong_file', 2);
      expect(user.of('wrong_file')[1]).toEqual({ type: 'wrong_file', file: 2, chunks: [3] });
      store(user, 3);
      await user.until('whole');
      expectFiles(user);
    });

    it('keeps what came first of a range that comes twice', async () => {
      const user = await use();
      store(user, 0, 3);
      user.post(user.storing(3, { as: damaged(3) }), user.storing(0, { as: damaged(0) }));
      store(user, 1, 2);
      await user.until('whole');
      expectFiles(user);
    });

    it('goes on with the ranges of an earlier run, and loses only those whose bytes are not as they were written', async () => {
      const first = await use();
      store(first, 0, 1, 2);
      await first.until('verified', 3);
      await first.close();
      first.scene.damage('large.bin', MEBI + 5);
      const user = await use(first.scene);
      await user.until('lost');
      expect(user.of('lost')).toEqual([{ type: 'lost', chunks: [1] }]);
      store(user, 1, 3);
      await user.until('whole');
      expectFiles(user);
    });

    it('finds an earlier run’s wrong ranges by the hash of their file', async () => {
      const first = await use();
      first.post(first.storing(0, { as: damaged(0) }));
      store(first, 1);
      await first.until('verified', 2);
      await first.close();
      const user = await use(first.scene);
      store(user, 2, 3);
      await user.until('wrong_file');
      expect(user.of('wrong_file')).toEqual([{ type: 'wrong_file', file: 0, chunks: [0, 1, 2] }]);
      await user.close();
      expect([...user.scene.present()]).toEqual([0, 0, 0, 1]);
    });

    it('takes no range for present that nothing is noted of, when it is asked to look', async () => {
      const user = await use();
      store(user, 0);
      await user.until('verified');
      user.post({ type: 'check', chunks: [0, 1] });
      await user.until('checked', 2);
      expect(user.of('checked').flatMap((event) => (event.present ? [event.chunk] : []))).toEqual([0]);
    });
  });
}
