/** What `sleap-nn track` and `sleap-track` have in common. */

export const VIDEOS_AND_LABELS = ['.mp4', '.avi', '.mov', '.mkv', '.slp', '.h5', '.hdf5'];

/** Both report progress as lines of JSON. */
export const SLEAP_PROGRESS = '"n_processed": (?P<done>[0-9]+), "n_total": (?P<total>[0-9]+)';

export const PREDICTION_SETTINGS = {
  batch_size: { type: 'integer', min: 1, max: 1024, default: 4, description: 'Frames that run at once' },
  peak_threshold: { type: 'number', min: 0, max: 1, default: 0.2, description: 'The least confidence of a point' },
  max_instances: { type: 'integer', min: 1, max: 10_000, description: 'Animals in one frame at most' },
} as const;
