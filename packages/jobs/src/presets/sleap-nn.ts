import { findProgram } from '../process/find-tools.ts';
import { PREDICTION_SETTINGS, SLEAP_PROGRESS, VIDEOS_AND_LABELS } from './sleap-settings.ts';
import type { Preset } from './types.ts';

/**
 * Source: https://nn.sleap.ai, CLI reference. A top-down pair is two models, the centroid one first. Its checkpoints are
 * pickles, so the owner has to allow them.
 */
export const sleapNn: Preset = {
  name: 'sleap-nn',
  async find({ PATH }) {
    const program = await findProgram('sleap-nn', PATH);
    return {
      problem:
        program === undefined
          ? 'sleap-nn is not in the PATH of the worker. Install it, for example: uv tool install "sleap-nn[torch]"'
          : undefined,
      runner: {
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
          device: {
            type: 'string',
            pattern: '(auto|cpu|mps|cuda(:[0-9]{1,2})?)',
            default: 'auto',
            description: 'auto, cpu, mps, cuda or cuda:0',
          },
          ...PREDICTION_SETTINGS,
          frames: {
            type: 'string',
            pattern: '[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*',
            description: 'Frames such as 0-100,200-300 [all]',
          },
          tracking: {
            type: 'boolean',
            flag: '--tracking',
            default: false,
            description: 'Follow animals from frame to frame',
          },
          max_tracks: { type: 'integer', min: 1, max: 10_000, description: 'Tracks at most' },
          no_empty_frames: {
            type: 'boolean',
            flag: '--no_empty_frames',
            default: false,
            description: 'Leave out frames without animals',
          },
          json_progress: {
            type: 'boolean',
            flag: '--gui',
            default: false,
            description: 'Report progress; versions before 0.1 cannot',
          },
        },
      },
    };
  },
};
