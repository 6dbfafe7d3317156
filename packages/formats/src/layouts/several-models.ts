import { ModelRtcError } from '@model-rtc/protocol';
import { nameByPath } from './model-name.ts';

const MAX_LISTED = 100;
const MAX_NAMED = 5;

/** What one of several models in a folder is called, by where it is. */
export function nameInFolder(location: string, path: string): string {
  const above = location.split(/[/\\]/).filter((part) => part !== '');
  const parts = path.replace(/\.(gguf|safetensors|pt|pth|ckpt|onnx|joblib|pickle|pkl)$/, '').split('/');
  return nameByPath([...above, ...parts]) ?? parts.at(-1) ?? path;
}

/**
 * The error that lists the models of a folder that holds several, which nobody would want as one.
 * @param advice - what a person can do, sentences
 */
export function severalModelsError(
  location: string,
  found: readonly { readonly path: string; readonly name: string }[],
  advice = 'Import one of them, each of them with --all, or all as one with --as-one.',
): ModelRtcError {
  const models = found.slice(0, MAX_LISTED).map(({ path, name }) => ({ path, name }));
  const listed = models.slice(0, MAX_NAMED).map(({ path }) => JSON.stringify(path));
  const more = found.length > MAX_NAMED ? ` and ${found.length - MAX_NAMED} more` : '';
  const sentence = `${location} holds several models (${listed.join(', ')}${more}). ${advice}`;
  return new ModelRtcError('bad_argument', sentence, { details: { path: location, models } });
}
