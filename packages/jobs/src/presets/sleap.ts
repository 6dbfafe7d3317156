import { programPreset } from './program-preset.ts';
import { choice, flag, text } from './settings.ts';
import { PREDICTION_SETTINGS, SLEAP_PROGRESS, VIDEOS_AND_LABELS } from './sleap-settings.ts';

/** Source: https://legacy.sleap.ai, command line interfaces, sleap-track. Models are folders, each after its own `--model`. */
export const sleap = programPreset({
  name: 'sleap',
  program: 'sleap-track',
  install: "Install SLEAP, and start the worker in SLEAP's environment.",
  runner: () => ({
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
      frames: text({ pattern: '[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*' }, 'Frames such as 1-100 or 1,2,3 [all]'),
      tracker: choice(
        { choices: ['simple', 'flow', 'simplemaxtracks', 'flowmaxtracks'] },
        'How to follow animals from frame to frame',
      ),
      cpu: flag('--cpu', 'Use no GPU'),
      verbosity: choice({ choices: ['none', 'rich', 'json'] }, 'json reports progress, in versions that can'),
    },
  }),
});
