import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pickleRow } from '../../../../test/support/attack-files.ts';

/** Threads run only from the built package, so a process of its own loads it; `npm run build` makes it. */
const BUILT = fileURLToPath(new URL('../../dist/inspect/', import.meta.url));

/** What each script has: a reading, a file that takes seconds, one that takes 60 MB, and one that takes nothing. */
const PRELUDE = `
const [built, ...paths] = process.argv.slice(1);
const { stat } = await import('node:fs/promises');
const { createModelReading } = await import(built + 'model-reading.js');
const { inspectFiles } = await import(built + 'code-files.js');
const [long, large, small] = await Promise.all(paths.map(async (absolutePath, i) => {
  const { size, mtimeNs } = await stat(absolutePath, { bigint: true });
  return { path: ['long.pt', 'large.pt', 'small.pt'][i], absolutePath, size: Number(size), mode: 420, mtimeNs };
}));
const failed = (error) => ({ code: error.code, reason: error.details?.reason });
const print = (value) => console.log(JSON.stringify(value));
`;

let folder = '';
let files: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-rtc-test-'));
  files = ['long', 'large', 'small'].map((name) => join(folder, name));
  const [long, large, small] = files as [string, string, string];
  await writeFile(
    long,
    Buffer.concat([Buffer.from('\x80\x02', 'latin1'), Buffer.alloc(40_000_000, 'N0'), Buffer.from('N.')]),
  );
  await writeFile(large, pickleRow(1, 300_000));
  await writeFile(small, Buffer.from('\x80\x02N.', 'latin1'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function runBuilt(script: string): Promise<unknown> {
  const args = ['--input-type=module', '-e', PRELUDE + script, BUILT, ...files];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

describe('the thread that reads into model files', () => {
  it('is built', async () => {
    expect((await stat(join(BUILT, 'reading-thread.js'))).isFile()).toBe(true);
  });

  it('leaves the process free, and lets it end when the work is done', async () => {
    const result = await runBuilt(`
      const reading = createModelReading();
      let ticks = 0;
      const ticking = setInterval(() => ticks++, 5);
      const [first, second] = await Promise.all([[long, small], [small]].map((files) => inspectFiles(reading, files, {})));
      clearInterval(ticking);
      print({ ticks, first, second });
    `);
    const data = { path: 'small.pt', suspicious: [] };
    expect(result).toMatchObject({ first: [{ path: 'long.pt', suspicious: [] }, data], second: [data] });
    expect((result as { ticks: number }).ticks).toBeGreaterThan(20);
  });

  it('dies alone when it runs out of memory: the file is marked, and another thread goes on', async () => {
    const result = await runBuilt(`
      const reading = createModelReading({ maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 });
      const found = await inspectFiles(reading, [small, large, small], {});
      const refused = await inspectFiles(reading, [large], { safeOnly: true }).catch(failed);
      print({ found, refused, after: await inspectFiles(reading, [small], {}) });
      await reading.close();
    `);
    expect(result).toEqual({
      found: [
        { path: 'small.pt', suspicious: [] },
        { path: 'large.pt', suspicious: ['(it takes more memory than is allowed)'], unexamined: true },
        { path: 'small.pt', suspicious: [expect.stringContaining('a file before it')], unexamined: true },
      ],
      refused: { code: 'refused' },
      after: [{ path: 'small.pt', suspicious: [] }],
    });
  });

  it('ends with what is cancelled, and goes on with what waits', async () => {
    const result = await runBuilt(`
      const reading = createModelReading();
      const controllers = [new AbortController(), new AbortController()];
      const [running, waiting] = controllers.map(({ signal }) => inspectFiles(reading, [long], { signal }).catch(failed));
      const last = inspectFiles(reading, [small], {});
      controllers[1].abort();
      setTimeout(() => controllers[0].abort(), 100);
      print([await waiting, await running, await last]);
    `);
    expect(result).toEqual([{ code: 'cancelled' }, { code: 'cancelled' }, [{ path: 'small.pt', suspicious: [] }]]);
  });

  it('ends everything when it is closed', async () => {
    const result = await runBuilt(`
      const reading = createModelReading();
      const all = [long, small].map((file) => inspectFiles(reading, [file], {}).catch(failed));
      setTimeout(() => reading.close(), 100);
      print([...(await Promise.all(all)), await inspectFiles(reading, [small], {}).catch(failed)]);
    `);
    expect(result).toEqual([{ code: 'cancelled' }, { code: 'cancelled' }, { code: 'cancelled' }]);
  });

  it('gives the errors of what it reads as they are', async () => {
    const result = await runBuilt(`
      const reading = createModelReading();
      print(await inspectFiles(reading, [{ ...small, mtimeNs: 1n }], {}).catch(failed));
    `);
    expect(result).toEqual({ code: 'source_changed' });
  });

  it('starts before a registry is opened where a command asks for that, and does not keep the process', async () => {
    const result = await runBuilt(`
      const threads = await import('node:worker_threads');
      const { syncBuiltinESMExports } = await import('node:module');
      const started = [];
      threads.default.Worker = class extends threads.Worker {
        constructor(file, options) {
          super(file, options);
          started.push(options.name);
        }
      };
      syncBuiltinESMExports();
      const { openRegistry } = await import(built + '../open-registry.js');
      await openRegistry({ home: paths[0] + '-home' });
      const before = [...started];
      const { startModelReading } = await import(built + 'model-reading.js');
      const reading = startModelReading();
      const registry = await openRegistry({ home: paths[0] + '-home', reading });
      await registry.close();
      print({ before, started, afterClose: await inspectFiles(reading, [small], {}).catch(failed) });
    `);
    expect(result).toEqual({ before: [], started: ['model-rtc-reading'], afterClose: { code: 'cancelled' } });
  });
});
