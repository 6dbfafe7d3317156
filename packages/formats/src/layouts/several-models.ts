import { ModelRtcError } from '@model-rtc/protocol';
import { nameByPath } from './model-name.ts';
import type { ModelRoot } from './model-roots.ts';

const MAX_LISTED = 100;

/** The error that lists the models of a folder that holds several, which nobody would want as one. */
export function severalModelsError(location: string, roots: readonly ModelRoot[]): ModelRtcError {
  const above = location.split(/[/\\]/).filter((part) => part !== '');
  const models = roots.slice(0, MAX_LISTED).map(({ path }) => {
    const parts = path.replace(/\.(gguf|safetensors|pt|pth|ckpt)$/, '').split('/');
    return { path, name: nameByPath([...above, ...parts]) ?? parts.at(-1) };
  });
  const listed = models.slice(0, 5).map(({ path }) => JSON.stringify(path));
  const sentence = `${location} holds several models (${listed.join(', ')}${roots.length > 5 ? ', ...' : ''}). Import one of them, or all as one with --as-one.`;
  return new ModelRtcError('bad_argument', sentence, { details: { path: location, models } });
}
