import { findProgram } from '../process/find-tools.ts';
import { PREDICTION_SETTINGS, SLEAP_PROGRESS, VIDEOS_AND_LABELS } from './sleap-settings.ts';
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
        inputs: VIDEOS_AND_LABELS,
        progress: SLEAP_PROGRESS,
        set: {
          ...PREDICTION_SETTINGS,
          frames: {
            type: 'string',
            pattern: '[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*',
            description: 'Frames such as 1-100 or 1,2,3 [all]',
          },
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
