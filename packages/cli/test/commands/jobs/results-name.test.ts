import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../../test/support/temporary-folder.ts';
import { resultsName, resultsPath } from '../../../src/commands/jobs/results-name.ts';

const digest = 'ab'.repeat(32) as Digest;
const job = {
  id: 'k3v9x2m4q7w1',
  models: [{ digest, id: 'abababab', alias: 'mouse' }],
  data: [{ digest, name: 'clip.mp4', form: 'file' as const }],
};
const file = (fileName: string) => ({ form: 'file' as const, fileName });
const folder = { form: 'folder' as const, fileName: undefined };

describe('the name of results', () => {
  it.each([
    ['result.slp', 'clip.mp4.mouse.predictions.slp'],
    ['result.tar.gz', 'clip.mp4.mouse.predictions.tar.gz'],
    ['result', 'clip.mp4.mouse.predictions'],
    ['tracks of day 1.csv', 'clip.mp4.mouse.predictions.csv'],
    ['.hidden', 'clip.mp4.mouse.predictions'],
  ])('has the extension that the runner gave its file: %s', (fileName, name) => {
    expect(resultsName(job, file(fileName))).toBe(name);
  });

  it('names all models, and none of them twice as long as it must', () => {
    const models = [...job.models, { digest, id: 'cdcdcdcd' }];
    expect(resultsName({ ...job, models }, folder)).toBe('clip.mp4.mouse+cdcdcdcd.predictions');
  });

  it('needs no data and no models', () => {
    expect(resultsName({ ...job, data: [], models: [], resume: 'run-1' }, folder)).toBe('resumed.predictions');
    expect(resultsName({ ...job, data: [], models: [] }, folder)).toBe('k3v9x2m4q7w1.predictions');
  });

  it('fits a file system when the name of the data is long', () => {
    const data = [{ digest, name: `${'x'.repeat(250)}.mp4`, form: 'file' as const }];
    expect(resultsName({ ...job, data }, file('result.slp')).length).toBeLessThan(200);
  });
});

describe('the place of results', () => {
  it('is beside the data, or in the working directory', async () => {
    const name = 'clip.mp4.mouse.predictions.slp';
    const found = file('result.slp');
    expect(await resultsPath(job, found, { output: undefined, beside: '/data/clip.mp4' })).toBe(join('/data', name));
    expect(await resultsPath(job, found, { output: undefined, beside: undefined })).toBe(name);
  });

  it('is what the user says, and in it when that is a folder', async () => {
    const there = join(await temporaryFolder(), 'there');
    await mkdir(there);
    const name = 'clip.mp4.mouse.predictions.slp';
    const at = (output: string, found = file('result.slp') as typeof folder | ReturnType<typeof file>) =>
      resultsPath(job, found, { output, beside: '/data/clip.mp4' });
    expect(await at('out.slp')).toBe('out.slp');
    expect(await at('new/')).toBe(join('new', name));
    expect(await at(there)).toBe(join(there, name));
    // The same command, run again, finds the folder that it made.
    expect(await at(there, folder)).toBe(there);
  });
});
