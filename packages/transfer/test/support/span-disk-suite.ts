import { afterEach, describe, expect, it } from '@jest/globals';
import { type Layout, planLayout } from '../../src/core/index.ts';
import { spannedContents } from './contents.ts';
import { type DiskScene, DiskUser } from './disk-user.ts';
import { makeModel, seededBytes } from './models.ts';

const MEBI = 1024 * 1024;
const SPAN = 1.5 * MEBI;
/** Spans A, B, A and a short one that is a chunk; B and the second A span files. */
const a = seededBytes(SPAN, 1);
const whole = Buffer.concat([a, seededBytes(SPAN, 2), a, seededBytes(700, 3)]);
const CUT = 2 * MEBI + 77;
const model = makeModel(
  { 'large.bin': whole.subarray(0, CUT), empty: Buffer.alloc(0), 'second.bin': whole.subarray(CUT) },
  [1000],
);
const layout = planLayout(spannedContents(model, SPAN));
const CHUNKS = [
  whole.subarray(0, MEBI),
  whole.subarray(MEBI, SPAN),
  whole.subarray(SPAN, SPAN + MEBI),
  whole.subarray(SPAN + MEBI, 2 * SPAN),
  whole.subarray(3 * SPAN),
];

/** What every disk does with ranges that are parts of spans. @param setUp - makes an empty disk for the layout */
export function spanDiskSuite(name: string, setUp: (layout: Layout) => Promise<DiskScene>): void {
  describe(`${name} as a disk of spans`, () => {
    const users: DiskUser[] = [];

    async function use(scene?: DiskScene): Promise<DiskUser> {
      const user = new DiskUser(model, layout, scene ?? (await setUp(layout)));
      users.push(user);
      return user;
    }

    const store = (user: DiskUser, ...ids: number[]): void =>
      user.post(...ids.map((id) => user.storing(id, { as: CHUNKS[id] as Buffer })));
    const damaged = (id: number): Buffer => {
      const bytes = Buffer.from(CHUNKS[id] as Buffer);
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      return bytes;
    };
    const expectFiles = ({ scene }: DiskUser): void => {
      const same = [...model.files].map(([path, bytes]) => bytes.length === 0 || scene.read(path)?.equals(bytes));
      expect(same).toEqual([true, true, true]);
    };

    afterEach(async () => {
      for (const user of users.splice(0)) await user.close();
    });

    it('is whole in whatever order they come, has a span that repeats once, and tells the SHA-256 of each file', async () => {
      expect(layout.sizes).toHaveLength(5);
      for (const order of [
        [0, 1, 2, 3, 4],
        [4, 3, 2, 1, 0],
        [2, 0, 4, 3, 1],
      ]) {
        const user = await use();
        store(user, ...order);
        await user.until('whole');
        await user.flush();
        expect(user.chunksOf('verified')).toEqual(order);
        expect(user.of('file_hash').map(({ file, sha256 }) => [file, sha256])).toEqual(
          [0, 2].map((file) => [file, model.manifest.files[file]?.sha256]),
        );
        expectFiles(user);
        expect([...user.scene.present()]).toEqual([1, 1, 1, 1, 1]);
      }
    });

    it('tells which ranges a wrong span loses, keeps those of the others, and is whole when they came right', async () => {
      const user = await use();
      user.post(user.storing(0, { as: damaged(0) }));
      store(user, 1, 2, 3, 4);
      await user.until('wrong_span', 1);
      expect(user.of('wrong_span')).toEqual([{ type: 'wrong_span', span: 0, chunks: [0, 1] }]);
      expect([...user.scene.present()]).toEqual([0, 0, 1, 1, 1]);
      store(user, 1, 0);
      await user.until('whole');
      expectFiles(user);
    });

    it('keeps what came first of a range that comes twice', async () => {
      const user = await use();
      store(user, 2, 3);
      user.post(user.storing(2, { as: damaged(2) }));
      store(user, 0, 1, 4);
      await user.until('whole');
      expectFiles(user);
    });

    it('goes on with the ranges of an earlier run, and blames nobody for a span that it does not find right', async () => {
      const first = await use();
      store(first, 0, 1, 2);
      await first.until('verified', 3);
      await first.close();
      first.scene.damage('large.bin', MEBI + 5);
      const user = await use(first.scene);
      await user.until('lost');
      expect(user.of('lost')).toEqual([{ type: 'lost', chunks: [0, 1] }]);
      store(user, 3, 4, 0, 1);
      await user.until('whole');
      expect(user.of('wrong_span')).toEqual([]);
      expectFiles(user);
    });

    it('finds what the disk lost of a span that repeats, in a place where it was not checked with the span', async () => {
      const first = await use();
      store(first, 0, 1);
      await first.until('verified', 2);
      await first.close();
      // Memory has the same bytes for both places.
      const isOneCopy = first.scene.read('second.bin', 2 * SPAN - CUT + 9, 2 * SPAN - CUT + 10) === undefined;
      first.scene.damage('second.bin', 2 * SPAN - CUT + 9);
      const user = await use(first.scene);
      store(user, 2, 3, 4);
      await user.until('lost');
      const [lost] = user.of('lost');
      store(user, ...(lost?.chunks ?? []));
      await user.until('whole');
      if (!isOneCopy) expectFiles(user);
    });

    it('finds spans that are in the files, though no journal says so', async () => {
      const user = await use();
      store(user, 0, 1, 2);
      await user.until('verified', 3);
      user.post({ type: 'check', chunks: [0, 1, 2, 3, 4] });
      await user.until('checked', 5);
      expect(
        user
          .of('checked')
          .flatMap((event) => (event.present ? [event.chunk] : []))
          .sort(),
      ).toEqual([0, 1]);
      store(user, 3, 4);
      await user.until('whole');
      expectFiles(user);
    });
  });
}
