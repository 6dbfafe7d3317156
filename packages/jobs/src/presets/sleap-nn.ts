import { programPreset } from './program-preset.ts';
import { flag, integer, text } from './settings.ts';
import { PREDICTION_SETTINGS, SLEAP_PROGRESS, VIDEOS_AND_LABELS } from './sleap-settings.ts';

/**
 * Source: https://nn.sleap.ai, CLI reference. A top-down pair is two models, the centroid one first. Its checkpoints are
 * pickles, so the owner has to allow them.
 */
export const sleapNn = programPreset({
  name: 'sleap-nn',
  program: 'sleap-nn',
  install: 'Install it, for example: uv tool install "sleap-nn[torch]"',
  runner: () => ({
    description: 'Predicts poses in a video or a labels file with models of sleap-nn.',
    args: [
      ...['sleap-nn', 'track', '--data_path={input}', '--model_paths={models}', '--output_path={output}.slp'],
      ...['--device={set.device}', '--batch_size={set.batch_size}', '--peak_threshold={set.peak_threshold}'],
      ...[['--frames={set.frames}'], ['--max_instances={set.max_instances}'], ['--max_tracks={set.max_tracks}']],
      ...['{set.tracking}', '{set.no_empty_frames}', '{set.json_progress}'],
    ],
    types: ['sleap-nn'],
    inputs: VIDEOS_AND_LABELS,
    progress: SLEAP_PROGRESS,
    set: {
      device: text({ pattern: '(auto|cpu|mps|cuda(:[0-9]{1,2})?)', default: 'auto' }, 'auto, cpu, mps, cuda or cuda:0'),
      ...PREDICTION_SETTINGS,
      frames: text({ pattern: '[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*' }, 'Frames such as 0-100,200-300 [all]'),
      tracking: flag('--tracking', 'Follow animals from frame to frame'),
      max_tracks: integer({ min: 1, max: 10_000 }, 'Tracks at most'),
      no_empty_frames: flag('--no_empty_frames', 'Leave out frames without animals'),
      json_progress: flag('--gui', 'Report progress; versions before 0.1 cannot'),
    },
  }),
});
