import { expect, it } from '@jest/globals';
import { listModels } from '../src/list-models.ts';
import type { RemoteWorker } from '../src/remote-worker.ts';
import { failure } from './support/lab.ts';

/** A worker that answers each page with the same entries, and goes on for ever. */
function endlessWorker(entries: number, entryBytes: number) {
  let pages = 0;
  const models = Array.from({ length: entries }, (_, id) => ({ id: `m${id}`, notes: 'n'.repeat(entryBytes) }));
  const request = async () => {
    pages += 1;
    return { models, total: 1_000_000, nextCursor: String(pages) };
  };
  const worker = { link: { reach: async () => ({ request }) } } as unknown as RemoteWorker;
  return { worker, pages: () => pages };
}

it('takes no more of an endless list than fits, and says how to ask for less', async () => {
  const { worker, pages } = endlessWorker(100, 40_000);
  expect(await failure(listModels(worker, {}))).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('--limit'),
  });
  expect(pages()).toBeLessThan(20);
});

it('takes what was asked for of a list that goes on', async () => {
  const { worker, pages } = endlessWorker(100, 10);
  expect((await listModels(worker, { limit: 250 })).models).toHaveLength(250);
  expect(pages()).toBe(3);
});
