import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { INSTALL_RUNTIME } from '../../src/onnx/runtime.ts';
import { findPresets } from '../../src/presets/presets.ts';
import { checkSettings } from '../../src/runners/check-settings.ts';
import { fillArgs } from '../../src/runners/placeholders.ts';
import { progressReader } from '../../src/runners/read-progress.ts';
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
    expect(presets.map(({ runner, usable }) => [runner.name, usable])).toEqual([
      ['onnx', true],
      ['sleap-nn', false],
      ['sleap', false],
      ['ultralytics', false],
      ['llama-cli', false],
    ]);
    for (const { usable, reason } of presets) {
      if (!usable) expect(reason).toMatch(/^\S+ is not in the PATH of the worker\. Install /);
    }
  });

  it('are usable where the PATH has their program', async () => {
    const folder = await temporaryFolder();
    for (const name of ['sleap-nn', 'llama-cli']) await writeFile(join(folder, name), '', { mode: 0o755 });
    const found = await findPresets({ PATH: `/nowhere:${folder}` });
    expect(found.filter(({ usable }) => usable).map(({ runner }) => runner.name)).toEqual([
      'onnx',
      'sleap-nn',
      'llama-cli',
    ]);
    expect(found.at(-1)?.runner.args).toContain(join(folder, 'llama-cli'));
  });

  it('allow no model that runs code when it is loaded', () => {
    expect(presets.filter(({ runner }) => runner.allowUnsafeModels)).toEqual([]);
  });

  it('ask for the version of the ONNX library that the tests run with', async () => {
    const { devDependencies } = JSON.parse(
      await readFile(new URL('../../../../package.json', import.meta.url), 'utf8'),
    );
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

  it('give sleap-nn each model of a pair after its own option', () => {
    expect(commandOf('sleap-nn', {}, ['/m/1', '/m/2'])).toEqual([
      ...['sleap-nn', 'track', '--data_path=/i/1/a', '--model_paths=/m/1', '--model_paths=/m/2'],
      ...['--output_path=/o/result.slp', '--device=auto', '--batch_size=4', '--peak_threshold=0.2'],
    ]);
    const chosen = commandOf('sleap-nn', { tracking: 'true', max_instances: '2', frames: '0-9', device: 'cuda:1' });
    expect(chosen).toEqual(
      expect.arrayContaining(['--tracking', '--max_instances=2', '--frames=0-9', '--device=cuda:1']),
    );
    expect(() => commandOf('sleap-nn', { device: 'cuda:0 --gui' })).toThrow(/must match/);
  });

  it('give SLEAP its data last', () => {
    expect(commandOf('sleap', { tracker: 'flow' }, ['/m/1', '/m/2'])).toEqual([
      ...['sleap-track', '--model=/m/1', '--model=/m/2', '--output=/o/result.slp', '--batch_size=4'],
      ...['--peak_threshold=0.2', '--tracking.tracker=flow', '/i/1/a'],
    ]);
  });

  it('have Ultralytics write into a folder of results', () => {
    expect(commandOf('ultralytics', { imgsz: '320', save: 'false' })).toEqual([
      ...['yolo', 'predict', 'model=/m/1/best.bin', 'source=/i/1/a', 'project=/o/result', 'name=predictions'],
      ...['exist_ok=True', 'save=false', 'save_txt=True', 'save_conf=True', 'conf=0.25', 'iou=0.7', 'max_det=300'],
      ...['vid_stride=1', 'imgsz=320'],
    ]);
    // A text file would be a list of files and addresses to read.
    expect(preset('ultralytics').inputs).not.toContain('.txt');
  });

  it('have llama-cli answer once, and keep what it prints', () => {
    const [node, capture, ...args] = commandOf('llama-cli', { predict: '10', temp: '0' });
    expect([node, capture]).toEqual([process.execPath, expect.stringMatching(/capture-output\.js$/)]);
    expect(args).toEqual([
      ...['/o/result.txt', 'llama-cli', '--model', '/m/1/best.bin', '--file', '/i/1/a', '--single-turn', '--simple-io'],
      ...['--no-display-prompt', '--predict', '10', '--temp', '0', '--seed', '0'],
    ]);
  });

  it.each([
    ['onnx', '3/12 cat.png', 0.25],
    ['sleap-nn', '{"n_processed": 5, "n_total": 20, "rate": 1.5}', 0.25],
    ['sleap', '{"n_processed": 5, "n_total": 20, "elapsed": 2}', 0.25],
    ['ultralytics', 'video 1/1 (frame 30/120) /i/1/a.mp4: 640x384 2 mice, 8.1ms', 0.25],
    ['ultralytics', 'image 1/4 /i/1/a/1.jpg: 640x480 4 persons, 36.9ms', 0.25],
  ])('tell the progress of %s by %p', (name, line, fraction) => {
    expect(progressReader(preset(name).progress as string)(line)?.fraction).toBe(fraction);
  });
});
