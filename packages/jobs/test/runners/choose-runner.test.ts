import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { chooseRunner, type RunnerRequest } from '../../src/runners/choose-runner.ts';
import { parseRunner } from '../../src/runners/runner-store.ts';
import type { FoundRunner, JobModel } from '../../src/types.ts';

function runner(name: string, more: Record<string, unknown> = {}, reason?: string): FoundRunner {
  return { runner: parseRunner({ name, args: [name], ...more }), usable: reason === undefined, reason };
}

const MLP: JobModel = {
  ...{ digest: 'a'.repeat(64) as Digest, id: 'aaaaaaaa', alias: 'tiny', modelType: 'mlp', framework: 'onnx' },
  ...{ folder: '/models/mlp', checkpoint: '/models/mlp/model.onnx', config: undefined, codeFiles: [] },
};
const LLAMA: JobModel = {
  ...MLP,
  alias: undefined,
  modelType: 'llama',
  framework: 'file',
  checkpoint: '/models/a/b.gguf',
};

function request(
  models: readonly JobModel[],
  names: readonly string[] = [],
  more: Partial<RunnerRequest> = {},
): RunnerRequest {
  const data = names.map((name) => ({
    data: { digest: 'b'.repeat(64) as Digest, name, form: 'file' as const },
    paths: [name],
  }));
  return { runner: undefined, models, data, isResume: false, ...more };
}

const choose = (runners: readonly FoundRunner[], wanted: RunnerRequest) => chooseRunner(runners, wanted).name;
const ONNX = runner('onnx', { types: ['onnx'], inputs: ['.npy', '.png'], args: ['onnx', '{inputs}'] });
const GGUF = runner('llama', { types: ['gguf'] });
const ANY = runner('any');

describe('without a name, the runner', () => {
  it('is the one for the type of the model, of its tool or of its main file', () => {
    expect(choose([ONNX, GGUF], request([MLP]))).toBe('onnx');
    expect(choose([ONNX, GGUF], request([LLAMA]))).toBe('llama');
    expect(choose([runner('mine', { types: ['mlp'] }), GGUF], request([MLP]))).toBe('mine');
  });

  it('is one that takes any model only where none is for its type', () => {
    expect(choose([ANY, ONNX], request([MLP]))).toBe('onnx');
    expect(choose([ANY, ONNX], request([LLAMA]))).toBe('any');
    expect(choose([ANY], request([]))).toBe('any');
  });

  it('reads the data; a folder may hold other files too', () => {
    expect(choose([ONNX], request([MLP], ['X.NPY', 'b.png']))).toBe('onnx');
    const folder = request([MLP], ['scans']);
    const paths = { ...folder, data: folder.data.map((one) => ({ ...one, paths: ['readme.txt', '1/a.png'] })) };
    expect(choose([ONNX], paths)).toBe('onnx');
    expect(() => choose([ONNX], request([MLP], ['a.mp4']))).toThrow(
      'No runner of the worker runs tiny, which is mlp (onnx), on a.mp4. It has onnx (onnx; reads .npy .png). Its owner can add one with: model-rtc worker runners add',
    );
  });

  it('takes several models or files only where it says so', () => {
    const pair = runner('pair', { types: ['onnx'], args: ['pair', '--model={models}'] });
    expect(choose([ONNX, pair], request([MLP, MLP]))).toBe('pair');
    expect(choose([ONNX, pair], request([MLP], ['a.npy', 'b.npy']))).toBe('onnx');
  });

  it('has to be named where several would do', () => {
    expect(() => choose([ONNX, runner('other', { types: ['mlp'] })], request([MLP]))).toThrow(
      expect.objectContaining({
        code: 'ambiguous',
        message:
          'Several runners of the worker can run tiny, which is mlp (onnx). Choose one with --runner: onnx, other.',
        details: { runners: ['onnx', 'other'] },
      }),
    );
  });

  it('that would do, but cannot run here, says why', () => {
    const missing = runner('onnx', { types: ['onnx'] }, 'It is not installed. Install it.');
    expect(() => choose([missing, GGUF], request([MLP]))).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: 'The runner onnx cannot run on the worker: It is not installed. Install it.',
      }),
    );
    expect(choose([missing, ANY], request([MLP]))).toBe('any');
    expect(() => choose([], request([MLP]))).toThrow(/It has none that can run/);
  });

  it('of a training is one that resumes', () => {
    const trainer = runner('trainer', { types: ['mlp'], resume: ['train', '{model}'] });
    expect(choose([ONNX, trainer], request([MLP], [], { isResume: true }))).toBe('trainer');
  });
});

describe('a runner that was named', () => {
  const named = (runners: readonly FoundRunner[], name: string, ...wanted: Parameters<typeof request>) =>
    choose(runners, { ...request(...wanted), runner: name });

  it('is taken even where another would be, if it takes the model', () => {
    expect(named([ANY, ONNX], 'any', [MLP])).toBe('any');
    expect(() => named([ONNX, GGUF], 'llama', [MLP])).toThrow(
      expect.objectContaining({
        code: 'bad_argument',
        message: 'The runner llama runs models of type gguf, and tiny is mlp (onnx). Choose another with --runner.',
      }),
    );
    expect(() => named([ONNX], 'onnx', [MLP], ['a.mp4'])).toThrow(/reads \.npy, \.png, and a\.mp4 has none of these/);
    expect(() => named([ONNX], 'onnx', [MLP, MLP])).toThrow(/runs one model at a time, not 2/);
    expect(() => named([ONNX], 'onnx', [MLP], [], { isResume: true })).toThrow(/cannot resume a training/);
  });

  it('has to be there, and able to run', () => {
    expect(() => named([ONNX], 'yolo', [MLP])).toThrow(
      expect.objectContaining({ code: 'not_found', message: 'The worker has no runner named yolo. It has onnx.' }),
    );
    expect(() => named([runner('onnx', {}, 'It is missing.')], 'onnx', [MLP])).toThrow(
      /cannot run on the worker: It is missing/,
    );
  });
});
