import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type OnModelProgress, sendData } from '../../src/index.ts';
import { cutAfter, failure, importBytes, seededBytes } from '../support/lab.ts';
import { type DataLab, OWNER, openDataLab, writeFiles } from './data-lab.ts';

const MEBI = 1024 * 1024;
const VIDEO = seededBytes(3 * MEBI + 1000, 1);

async function send({ here, worker, folder }: DataLab, name: string, onProgress?: OnModelProgress) {
  const set = await here.hashFileSet(join(folder, name));
  return { set, sent: await sendData(worker(), [set], { onProgress }) };
}

describe('sending data', () => {
  it('brings it to the worker byte for byte, and sends nothing the next time', async () => {
    const lab = await openDataLab();
    await writeFiles(lab.folder, { 'mouse.mp4': VIDEO });
    const { set, sent } = await send(lab, 'mouse.mp4');
    expect(sent).toEqual({ transferredBytes: VIDEO.length, reusedBytes: 0, resumedBytes: 0 });
    const there = join(lab.data.dataSets.folder, set.digest, 'mouse.mp4');
    expect((await readFile(there)).equals(VIDEO)).toBe(true);
    const events: unknown[] = [];
    const again = await send(lab, 'mouse.mp4', (event) => events.push(event));
    expect(again.sent).toEqual({ transferredBytes: 0, reusedBytes: VIDEO.length, resumedBytes: 0 });
    expect(events).toEqual([]);
  });

  it('takes folders with empty files and names of every script, and the same data once', async () => {
    const lab = await openDataLab();
    const files = { 'a.csv': '', 'mäuse/käfig 1.csv': 'x', '実験/🐁.json': '{}', "it's; rm -rf $HOME": 'y' };
    await writeFiles(join(lab.folder, 'cages'), files);
    const set = await lab.here.hashFileSet(join(lab.folder, 'cages'));
    await sendData(lab.worker(), [set, set]);
    for (const [path, content] of Object.entries(files)) {
      expect(await readFile(join(lab.data.dataSets.folder, set.digest, path), 'utf8')).toBe(content);
    }
    expect(lab.data.usage()).toMatchObject({ sets: 1, bytes: 4 });
  });

  it('sends only what the worker has neither in other data nor in models', async () => {
    const lab = await openDataLab();
    await importBytes(lab.there, seededBytes(2 * MEBI, 2));
    await writeFiles(lab.folder, { 'day1/mouse.mp4': VIDEO });
    await writeFiles(lab.folder, {
      'day2/mouse.mp4': VIDEO,
      'day2/weights': seededBytes(2 * MEBI, 2),
      'day2/new': 'new',
    });
    await send(lab, 'day1');
    const { sent } = await send(lab, 'day2');
    expect(sent).toEqual({ transferredBytes: 3, reusedBytes: VIDEO.length + 2 * MEBI, resumedBytes: 0 });
  });

  it('goes on over another connection, and counts nothing twice', async () => {
    const lab = await openDataLab({
      onConnection({ lanes: [client] }, number) {
        if (number === 2) cutAfter(client, 1.5 * MEBI);
      },
    });
    await writeFiles(lab.folder, { 'mouse.mp4': VIDEO });
    const { sent } = await send(lab, 'mouse.mp4');
    expect(lab.connections.length).toBe(3);
    expect(sent).toEqual({ transferredBytes: VIDEO.length, reusedBytes: 0, resumedBytes: 0 });
  });

  it('goes on where an earlier command was broken off', async () => {
    let isCut = true;
    const lab = await openDataLab({
      onConnection({ lanes: [client] }, number) {
        if (number > 1 && isCut) cutAfter(client, 1.5 * MEBI);
      },
    });
    await writeFiles(lab.folder, { 'mouse.mp4': VIDEO });
    const set = await lab.here.hashFileSet(join(lab.folder, 'mouse.mp4'));
    const stop = new AbortController();
    const cut = sendData(lab.worker(), [set], {
      signal: stop.signal,
      onProgress: ({ type }) => type === 'reconnecting' && stop.abort(),
    });
    expect(await failure(cut)).toMatchObject({ code: 'cancelled' });
    isCut = false;
    const { sent } = await send(lab, 'mouse.mp4');
    expect(sent.resumedBytes).toBeGreaterThanOrEqual(MEBI);
    expect(sent.transferredBytes + sent.resumedBytes).toBe(VIDEO.length);
  });

  it("wants another session's data to be pushed, and then takes none of it", async () => {
    const lab = await openDataLab();
    await writeFiles(lab.folder, { 'mouse.mp4': VIDEO });
    const { set } = await send(lab, 'mouse.mp4');
    expect(await lab.data.reception.missing([set.digest], OWNER)).toEqual([]);
    expect(await lab.data.reception.missing([set.digest], 'other')).toEqual([set.digest]);
    const peer = await lab.peer();
    const { manifest } = set;
    const pushed = await peer.request('push_data', { manifest: manifest as NonNullable<typeof manifest> });
    expect(pushed).toEqual({
      digest: set.digest,
      outcome: 'already_there',
      transferredBytes: 0,
      reusedBytes: VIDEO.length,
      resumedBytes: 0,
    });
  });

  it('says which file changed since it was read', async () => {
    const lab = await openDataLab();
    await writeFiles(lab.folder, { 'mouse.mp4': VIDEO });
    const path = join(lab.folder, 'mouse.mp4');
    const set = await lab.here.hashFileSet(path);
    await writeFile(path, seededBytes(VIDEO.length, 3));
    const error = await failure(sendData(lab.worker(), [set]));
    expect(error).toMatchObject({ code: 'source_changed' });
    expect(error.message).toBe(
      `${path} changed since it was read. Wait until nothing writes to it, and run the command again.`,
    );
  });

  it('is told when the worker keeps no data of this size', async () => {
    const lab = await openDataLab({ keep: { maxBytes: 2 * MEBI } });
    await writeFiles(lab.folder, { 'mouse.mp4': VIDEO });
    const error = await failure(send(lab, 'mouse.mp4'));
    expect(error).toMatchObject({ code: 'refused', details: { setting: 'data-cache.size' } });
    expect(error.message).toMatch(/settings set data-cache\.size/);
  });
});
