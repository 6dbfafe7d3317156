import { baseName } from '../file-names.ts';

/** What only a training that goes on needs, by the names that transformers, accelerate and nnU-Net give it. */
const STATES: readonly (readonly [RegExp, string])[] = [
  [/^(optimizer|optim)([-_.]\d+)?\.(pt|pth|bin|pkl|safetensors)$/i, 'an optimizer state, to resume training from'],
  [/^(scheduler|lr_scheduler|scaler|grad_scaler)([-_.]\d+)?\.(pt|pth|bin|pkl)$/i, 'a state of the training'],
  [/^(rng_state|random_states)[^/]*\.(pt|pth|pkl)$/i, 'a random state of the training'],
  [/^checkpoint_latest\.pth$/i, 'a checkpoint to resume training from'],
];
/** A distributed optimizer is a folder. */
const OPTIMIZER_FOLDER = /(^|\/)optimizer(_\d+)?\/[^/]+$/i;
/** Predictions for cases of the training data, perhaps of patients. */
const VALIDATION =
  /(^|\/)validation(_raw)?\/.*(\.(png|jpe?g|tiff?|nii|nii\.gz|nrrd|mha|mhd|dcm|npz|pkl)|summary\.json)$/i;
const PICTURES_OF_TRAINING = /^(train_batch|val_batch)\d+.*\.(jpe?g|png)$/i;

/** Why a file belongs to a training and not to the model that came out of it, as a noun phrase; undefined for all others. */
export function trainingStateReason(path: string): string | undefined {
  const name = baseName(path);
  const state = STATES.find(([pattern]) => pattern.test(name));
  if (state !== undefined) return state[1];
  if (OPTIMIZER_FOLDER.test(path)) return 'an optimizer state, to resume training from';
  if (VALIDATION.test(path)) return 'a prediction of the validation';
  return PICTURES_OF_TRAINING.test(name) ? 'pictures of the training data' : undefined;
}
