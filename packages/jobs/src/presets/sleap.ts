import { findProgram } from '../process/find-tools.ts';
import type { Preset } from './types.ts';

/** Source: https://legacy.sleap.ai, command line interfaces, sleap-track. Models are folders, each after its own `--model`. */
export const sleap: Preset = {
  name: 'sleap',
  async find({ PATH }) {
    const program = await findProgram('sleap-track', PATH);
    return {
      problem:
        program === undefined
          ? "sleap-track is not in the PATH of the worker. Install SLEAP, and start the worker in SLEAP's environment."
          : undefined,
      runner: {
        description: 'Predicts poses in a video or a labels file with models of SLEAP 1.x.',
        args: [
          ...['sleap-track', '--model={models}', '--output={output}.slp', '--batch_size={set.batch_size}'],
          ...['--peak_threshold={set.peak_threshold}', ['--frames={set.frames}'], '{set.cpu}'],
          ...[['--max_instances={set.max_instances}'], ['--tracking.tracker={set.tracker}']],
          ...[['--verbosity={set.verbosity}'], '{input}'],
        ],
        types: ['sleap'],
        inputs: ['.mp4', '.avi', '.mov', '.mkv', '.slp', '.h5', '.hdf5'],
        progress: '"n_processed": (?P<done>[0-9]+), "n_total": (?P<total>[0-9]+)',
        set: {
          batch_size: { type: 'integer', min: 1, max: 1024, default: 4, description: 'Frames that run at once' },
          peak_threshold: {
            type: 'number',
            min: 0,
            max: 1,
            default: 0.2,
            description: 'The least confidence of a point',
          },
          frames: {
            type: 'string',
            pattern: '[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*',
            description: 'Frames such as 1-100 or 1,2,3 [all]',
          },
          max_instances: { type: 'integer', min: 1, max: 10_000, description: 'Animals in one frame at most' },
          tracker: {
            type: 'string',
            choices: ['simple', 'flow', 'simplemaxtracks', 'flowmaxtracks'],
            description: 'How to follow animals from frame to frame',
          },
          cpu: { type: 'boolean', flag: '--cpu', default: false, description: 'Use no GPU' },
          verbosity: {
            type: 'string',
            choices: ['none', 'rich', 'json'],
            description: 'json reports progress, in versions that can',
          },
        },
      },
    };
  },
};
