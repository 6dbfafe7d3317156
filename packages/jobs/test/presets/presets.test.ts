import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { INSTALL_RUNTIME } from '../../src/onnx/runtime.ts';
import { findPresets } from '../../src/presets/presets.ts';
import { checkSettings } from '../../src/runners/check-settings.ts';
import { fillArgs } from '../../src/runners/placeholders.ts';
import type { Runner } from '../../src/runners/runner-schema.ts';

const presets = await findPresets({ PATH: '/nowhere' });

function preset(name: string): Runner {
  return presets.find(({ runner }) => runner.name === name)?.runner as Runner;
}

/** What a job starts, with one model and one file. */
function commandOf(name: string, settings: Record<string, string> = {}, models = ['/m/1']): string[] {
  const { args, set = {} } = preset(name);
  const { texts } = checkSettings({ name, args, set }, settings);
  const paths = { models, checkpoint: '/m/1/best.bin', config: undefined, inputs: ['/i/1/a'], output: '/o/result' };
  return fillArgs(args, { ...paths, settings: texts });
}

describe('the presets', () => {
  it('are there on every machine, each with why it cannot run', () => {
    expect(presets.map(({ runner, usable }) => [runner.name, usable])).toEqual([['onnx', true]]);
  });

  it('ask for the version of the ONNX library that the tests run with', async () => {
    const { devDependencies } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(INSTALL_RUNTIME).toContain(`--ignore-scripts onnxruntime-node@${devDependencies['onnxruntime-node']} `);
  });

  it('run ONNX models with our own program', () => {
    const [node, program, ...args] = commandOf('onnx', { batch: '4', mean: '0.5,0.5,0.5' });
    expect([node, program]).toEqual([process.execPath, expect.stringMatching(/onnx-runner\.js$/)]);
    expect(args).toEqual([
      ...['--model=/m/1/best.bin', '--input=/i/1/a', '--output=/o/result', '--layout=auto', '--color=auto'],
      ...['--divide=255', '--mean=0.5,0.5,0.5', '--std=1', '--format=npy', '--batch=4'],
    ]);
    expect(() => commandOf('onnx', { mean: '1;2' })).toThrow(/must match/);
  });
});
