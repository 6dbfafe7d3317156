import { join } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ForwardPass, Registry, ValidatedModel } from '@model-rtc/registry';
import type { Context } from '../../../console/context.ts';
import { shortName } from '../../../console/format.ts';
import { packageVersion } from '../../../package.ts';

/**
 * Validates a model of this machine and keeps the results in its entry.
 * @param ref - as commands take it
 * @throws ModelRtcError `not_found_locally`, `ambiguous`, `busy`, `cancelled`; not when a check fails
 */
export async function validateHere(
  context: Context,
  registry: Registry,
  ref: string,
  { quick = false }: { readonly quick?: boolean } = {},
): Promise<ValidatedModel> {
  const onProgress = await context.output.progress();
  return await registry.validate(ref, {
    ...{ quick, version: packageVersion(), signal: context.signal },
    forward: forwardPassHere(context, registry),
    onProgress: (progress) => onProgress({ type: 'local', phase: 'verify', ...progress }),
  });
}

/** Runs models with what this machine has for it: `onnxruntime-node`, or a runner that its owner declared. */
export function forwardPassHere({ runtime }: Context, { paths }: Registry): ForwardPass {
  return async (entry, signal) => {
    const { forwardPass } = await import('@model-rtc/jobs');
    const { digest, id, alias, modelType, framework, localPath, codeFiles, checkpointPath, configPath } = entry;
    const inModel = (path: string | undefined) => (path === undefined ? undefined : join(localPath, path));
    const model = {
      ...{ digest, id, alias, modelType, framework, codeFiles, folder: localPath },
      ...{ checkpoint: inModel(checkpointPath), config: inModel(configPath) },
    };
    return await forwardPass(model, { root: paths.root, env: runtime.env, signal });
  };
}

/** The error of a model in which something failed, once its results were shown. */
export function notValid({ entry, results }: ValidatedModel): ModelRtcError {
  const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check);
  const isDamaged = failed.includes('files') || failed.includes('checksums');
  const advice = isDamaged
    ? `Make it whole: model-rtc client repair-model ${entry.alias ?? entry.id}`
    : 'Its files are as they were registered, so get the model again from where it was made.';
  const sentence = `${shortName(entry)} did not pass: ${failed.join(', ')}. ${advice}`;
  return new ModelRtcError('verification_failed', sentence, { details: { id: entry.id, failed } });
}
