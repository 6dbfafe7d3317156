import { appendFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { planLayout } from '../../../src/core/layout/layout.ts';
import { JournalWriter, journalTitle, noteChunks } from '../../../src/node/journal/journal.ts';
import { JournalFollower } from '../../../src/node/journal/journal-follower.ts';
import { contentsOf, makeFileModel } from '../../support/models.ts';
import { temporaryFolder } from '../../support/pulling.ts';

const LAYOUT = planLayout(contentsOf(makeFileModel(1000, 100)));
const OTHER = planLayout(contentsOf(makeFileModel(900, 100, 2)));

async function followed() {
  const path = join(await temporaryFolder(), 'journal');
  const follower = new JournalFollower(path, LAYOUT);
  /** The chunks that are there, and whether that is news. */
  const look = (): [number[] | undefined, boolean] => {
    const before = follower.version;
    follower.look();
    const { present } = follower;
    return [present && [...present.keys()].filter((id) => present[id] === 1), follower.version !== before];
  };
  return { path, look };
}

describe('the journal of a transfer that another process runs', () => {
  it('is followed line by line as it grows, and tells whether anything came', async () => {
    const { path, look } = await followed();
    expect(look()).toEqual([undefined, false]);
    writeFileSync(path, journalTitle(LAYOUT));
    expect(look()).toEqual([[], true]);
    noteChunks(path, LAYOUT, [3, 1]);
    expect(look()).toEqual([[1, 3], true]);
    expect(look()).toEqual([[1, 3], false]);
    noteChunks(path, LAYOUT, [9]);
    expect(look()).toEqual([[1, 3, 9], true]);
  });

  it('counts a line once its end is there, and no line that was torn', async () => {
    const { path, look } = await followed();
    writeFileSync(path, journalTitle(LAYOUT));
    noteChunks(path, LAYOUT, [0]);
    const line = lineOf(path, 5);
    appendFileSync(path, line.slice(0, 4));
    expect(look()).toEqual([[0], true]);
    appendFileSync(path, line.slice(4));
    expect(look()).toEqual([[0, 5], true]);
    appendFileSync(path, '7 0123');
    look();
    // The next process that goes on with the transfer closes the torn line.
    noteChunks(path, LAYOUT, [2]);
    expect(look()[0]).toEqual([0, 2, 5]);
  });

  it('is read from its beginning when it was deleted and begun anew, though the file has the same number and is longer', async () => {
    const { path, look } = await followed();
    writeFileSync(path, journalTitle(LAYOUT));
    noteChunks(path, LAYOUT, [0]);
    expect(look()[0]).toEqual([0]);
    rmSync(path);
    writeFileSync(path, journalTitle(LAYOUT));
    noteChunks(path, LAYOUT, [1, 2, 3]);
    expect(look()[0]).toEqual([1, 2, 3]);
  });

  it('is read from its beginning when another one takes its place, or it is shorter', async () => {
    const { path, look } = await followed();
    writeFileSync(path, journalTitle(LAYOUT));
    noteChunks(path, LAYOUT, [0, 1, 2]);
    look();
    writeFileSync(`${path}.new`, journalTitle(LAYOUT));
    noteChunks(`${path}.new`, LAYOUT, [4, 5, 6, 7]);
    renameSync(`${path}.new`, path);
    expect(look()).toEqual([[4, 5, 6, 7], true]);
    truncateSync(path, journalTitle(LAYOUT).length);
    expect(look()).toEqual([[], true]);
    rmSync(path);
    expect(look()).toEqual([undefined, true]);
  });

  it('is none while it is that of another list of chunks', async () => {
    const { path, look } = await followed();
    writeFileSync(path, journalTitle(OTHER));
    noteChunks(path, OTHER, [1, 2]);
    expect(look()).toEqual([undefined, false]);
    writeFileSync(path, journalTitle(LAYOUT));
    noteChunks(path, LAYOUT, [8]);
    expect(look()).toEqual([[8], true]);
  });
});

/** What is written for a chunk. */
function lineOf(path: string, id: number): string {
  const copy = `${path}.line`;
  const journal = new JournalWriter(copy, LAYOUT);
  journal.add(id);
  journal.flush();
  journal.close();
  return readFileSync(copy, 'utf8').trimStart();
}
