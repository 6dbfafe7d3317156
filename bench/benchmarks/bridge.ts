import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startCommand } from '../../test/support/command.ts';
import { makeRandomFile } from '../../test/support/files.ts';
import { freePort } from '../../test/support/free-port.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { startNginx } from '../../test/support/nginx.ts';
import { peakMemoryBytes } from '../../test/support/process-memory.ts';
import { PYTHON, program } from '../../test/support/requirements.ts';
import { importModel } from '../../test/support/scene.ts';
import { createBaseline, runBaseline } from '../support/baseline.ts';
import { type Benchmark, besideRow, boundRow, type Row, ratioRow } from '../support/benchmark.ts';

const FULL_BYTES = 2_000_000_000;
const QUICK_BYTES = 100_000_000;
const REPEATS = 7;
const PARALLEL = 50;
const LEAST_RATIO_TO_PYTHON = 0.9;
const MOST_MEMORY_MEGABYTES = 250;

export const bridge: Benchmark = {
  name: 'bridge',
  title: 'Download a model over HTTP with curl, beside the same file from nginx and from Python, and 50 at once',
  async run({ quick }, say) {
    const missing = [program('nginx', 'nginx'), program('curl', 'curl')].find(({ met }) => !met);
    if (missing !== undefined) throw new Error(missing.advice);
    await using lab = createLab();
    return await measure(lab, quick, say);
  },
};

async function measure(lab: Lab, quick: boolean, say: (text: string) => void): Promise<Row[]> {
  const bytes = quick ? QUICK_BYTES : FULL_BYTES;
  const path = join(await lab.folder(), 'files', 'model.bin');
  await mkdir(dirname(path));
  await makeRandomFile(path, bytes);
  // By this the helper sees that nginx answers.
  await writeFile(join(dirname(path), 'models.json'), '{}');
  const machine = await lab.machine('gpu');
  await importModel(machine, path, 'model');
  const worker = machine.start(['worker', '--port', '0', '--http-port', '0', '--json']);
  const [line] = await worker.waitForStdout(/^\{.*\}$/m);
  const ours = `${(JSON.parse(line) as { httpUrl: string }).httpUrl}/v1/models/download/model`;
  const nginx = `${(await startNginx(lab, dirname(path))).url}/model.bin`;
  const python = await startPython(lab, dirname(path));
  const own: number[] = [];
  const [besideNginx, besidePython] = [createBaseline(say), createBaseline(say)];
  for (let repeat = 1; repeat <= (quick ? 1 : REPEATS); repeat += 1) {
    say(`${bytes / 1e6} MB, repeat ${repeat}`);
    await besideNginx.measure((signal) => speedOf(nginx, bytes, signal));
    own.push(await speedOf(ours, bytes));
    await besidePython.measure((signal) => speedOf(python, bytes, signal));
  }
  say(`${PARALLEL} at once`);
  await speedOf(ours, bytes / 10, undefined, PARALLEL);
  const megabytes = (await peakMemoryBytes(worker.pid)) / 1e6;
  const row = { unit: 'MB/s', samples: own };
  return [
    besideRow({ ...row, what: 'the bridge beside nginx', beside: besideNginx }),
    ratioRow({
      ...{ ...row, what: "the bridge beside Python's http.server", beside: besidePython },
      atLeast: LEAST_RATIO_TO_PYTHON,
    }),
    boundRow({
      what: `memory of the worker after ${PARALLEL} downloads at once`,
      ...{ unit: 'MB', samples: [megabytes], atMost: MOST_MEMORY_MEGABYTES },
    }),
  ];
}

/** Downloads the first bytes of a file, `times` times at once. @returns megabytes (10^6 bytes) a second, all together */
async function speedOf(url: string, bytes: number, signal = new AbortController().signal, times = 1): Promise<number> {
  const targets = Array.from({ length: times }, () => ['-o', '/dev/null', url]).flat();
  const parallel = times === 1 ? [] : ['--parallel', '--parallel-immediate', '--parallel-max', String(times)];
  const startedMs = performance.now();
  await runBaseline(
    ['curl', '--fail', '--silent', '--show-error', '--range', `0-${bytes - 1}`, ...parallel, ...targets],
    signal,
  );
  return (bytes * times) / 1e3 / (performance.now() - startedMs);
}

async function startPython(lab: Lab, folder: string): Promise<string> {
  const port = await freePort();
  const command = [PYTHON, '-u', '-m', 'http.server', String(port), '--bind', '127.0.0.1', '-d', folder] as const;
  const server = startCommand(command, { env: process.env });
  lab.onEnd(() => server.kill());
  await server.waitForStdout('Serving HTTP');
  return `http://127.0.0.1:${port}/model.bin`;
}
