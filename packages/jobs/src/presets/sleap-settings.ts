/** What `sleap-nn track` and `sleap-track` have in common. */

import { integer, number } from './settings.ts';

export const VIDEOS_AND_LABELS = ['.mp4', '.avi', '.mov', '.mkv', '.slp', '.h5', '.hdf5'];

/** Both report progress as lines of JSON. */
export const SLEAP_PROGRESS = '"n_processed": (?P<done>[0-9]+), "n_total": (?P<total>[0-9]+)';

export const PREDICTION_SETTINGS = {
  batch_size: integer({ min: 1, max: 1024, default: 4 }, 'Frames that run at once'),
  peak_threshold: number({ min: 0, max: 1, default: 0.2 }, 'The least confidence of a point'),
  max_instances: integer({ min: 1, max: 10_000 }, 'Animals in one frame at most'),
};
