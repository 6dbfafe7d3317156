import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRunner } from '@model-rtc/jobs';
import { ModelRtcError } from '@model-rtc/protocol';
import { checkModelFile } from '../../packages/jobs/src/onnx/check-model-file.ts';
import { readImage } from '../../packages/jobs/src/onnx/read-image.ts';
import { readNpy } from '../../packages/jobs/src/onnx/read-npy.ts';
import { OnnxRunError } from '../../packages/jobs/src/onnx/types.ts';
import { makeImages } from '../../packages/jobs/test/support/make-images.ts';
import type { FuzzTarget } from './fuzz.ts';

const FIXTURE = new URL('../fixtures/tiny-onnx/', import.meta.url);
/** One file for all, since they are read one after the other. */
const FILE = join(tmpdir(), `model-rtc-fuzz-${process.pid}`);

/** Reads changed bytes as a file; a reader may answer with a sentence for people, and with nothing else. */
function fileTarget(
  name: string,
  extension: string,
  samples: () => Promise<readonly Uint8Array[]>,
  read: (path: string) => Promise<unknown>,
): FuzzTarget {
  return {
    name,
    samples,
    async read(bytes) {
      await writeFile(`${FILE}${extension}`, bytes);
      try {
        await read(`${FILE}${extension}`);
      } catch (error) {
        if (!(error instanceof OnnxRunError)) throw error;
      }
    },
  };
}

const RUNNER = {
  name: 'count',
  args: ['/usr/bin/count', '--model={models}', ['--every', '{set.every}'], '{input}', '{output}'],
  ...{ types: ['onnx'], inputs: ['.mp4'], env: { A: 'b' }, limits: { time: '2h', memory: '8GB', cpu: 2, output: 1e9 } },
  set: { every: { type: 'integer', min: 1, max: 9, default: 3 }, mode: { type: 'string', pattern: '[a-z]+' } },
  ...{ progress: '(?P<done>[0-9]+)/(?P<total>[0-9]+)', confine: true, concurrency: 2, resume: ['go', '{model}'] },
};

/** What jobs read: declarations of runners, and the data that clients send to our own program. */
export const JOB_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'runners',
    samples: async () => [Buffer.from(JSON.stringify(RUNNER))],
    read(bytes) {
      try {
        parseRunner(parseRunner(JSON.parse(Buffer.from(bytes).toString('utf8'))));
      } catch (error) {
        if (!(error instanceof SyntaxError || (error instanceof ModelRtcError && error.code === 'bad_argument')))
          throw error;
      }
    },
  },
  fileTarget(
    'npy',
    '.npy',
    async () => [await readFile(new URL('input.npy', FIXTURE)), await readFile(new URL('expected.npy', FIXTURE))],
    (path) => readNpy(path, 'a.npy'),
  ),
  fileTarget(
    'images',
    '.png',
    async () => makeImages(),
    (path) => readImage(path, 'a.png'),
  ),
  fileTarget(
    'onnx',
    '.onnx',
    async () => [await readFile(new URL('model.onnx', FIXTURE))],
    (path) => checkModelFile(path),
  ),
];
