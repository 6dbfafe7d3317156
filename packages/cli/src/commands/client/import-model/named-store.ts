import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { Runtime } from '../../../console/runtime.ts';

/** What an import takes in place of a name in another tool's store. */
export interface NamedModel {
  readonly path: string;
  readonly revision?: string | undefined;
}

type Surroundings = Pick<Runtime, 'env' | 'userHome'>;

const OLLAMA_NAME = /^(?:([\w.-]+)\/)?([\w.-]+)(?::([\w.-]+))?$/;
/** `ORG/NAME` or `ORG/NAME@REV`. */
const REPOSITORY_NAME = /^([\w.-]+)\/([\w.-]+)(?:@([\w./-]+))?$/;
const ONLY_DOTS = /^\.+$/;
/** Where ollama keeps models as a service of Linux. */
const OLLAMA_OF_SERVICE = '/usr/share/ollama/.ollama/models';

/**
 * Where a model is that was named as another tool names it: `ollama:llama3.2:1b`, or `ORG/NAME` or `ORG/NAME@REV` in the cache of
 * Hugging Face or the folder of LM Studio. A path that exists is that path.
 * @throws ModelRtcError `not_found_locally`, `bad_argument`
 */
export async function findNamed(given: string, surroundings: Surroundings): Promise<NamedModel> {
  if (await exists(given)) return { path: given };
  if (given.startsWith('ollama:')) return { path: await findOllama(given, surroundings) };
  return (await findRepository(given, surroundings)) ?? { path: given };
}

async function findOllama(given: string, surroundings: Surroundings): Promise<string> {
  const [, namespace = 'library', name = '', tag = 'latest'] = OLLAMA_NAME.exec(given.slice('ollama:'.length)) ?? [];
  if (name === '' || [namespace, name, tag].some((part) => ONLY_DOTS.test(part))) {
    const sentence = `${JSON.stringify(given)} is no name of a model of ollama. Write it like ollama:llama3.2:1b.`;
    throw new ModelRtcError('bad_argument', sentence, { details: { name: given } });
  }
  const stores = ollamaFolders(surroundings);
  const paths = stores.map((store) => join(store, 'manifests', 'registry.ollama.ai', namespace, name, tag));
  const found = await firstThat(paths);
  if (found !== undefined) return found;
  const sentence = `ollama has no model ${name}:${tag} here; looked in ${stores.join(' and ')}. Run "ollama list" to see its models, or set OLLAMA_MODELS to the folder of its models.`;
  throw new ModelRtcError('not_found_locally', sentence, { details: { name: given, searched: stores } });
}

/** Undefined when there is no such repository; a path that does not exist is told of by the import. */
async function findRepository(given: string, surroundings: Surroundings): Promise<NamedModel | undefined> {
  const [, organization = '', name = '', revision] = REPOSITORY_NAME.exec(given) ?? [];
  if (name === '' || ONLY_DOTS.test(organization) || ONLY_DOTS.test(name)) return undefined;
  const cached = hubFolders(surroundings).map((folder) => join(folder, `models--${organization}--${name}`));
  const repository = await firstThat(cached);
  if (repository !== undefined) return { path: repository, revision };
  if (revision !== undefined) return undefined;
  const path = await firstThat(lmStudioFolders(surroundings).map((folder) => join(folder, organization, name)));
  return path === undefined ? undefined : { path };
}

/** Source: https://github.com/ollama/ollama/blob/main/docs/faq.md */
function ollamaFolders({ env, userHome }: Surroundings): string[] {
  if (env.OLLAMA_MODELS) return [env.OLLAMA_MODELS];
  return [...inHome(userHome, '.ollama/models'), OLLAMA_OF_SERVICE];
}

/** Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables */
function hubFolders({ env, userHome }: Surroundings): string[] {
  const named = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (named) return [named];
  if (env.HF_HOME) return [join(env.HF_HOME, 'hub')];
  if (env.XDG_CACHE_HOME) return [join(env.XDG_CACHE_HOME, 'huggingface', 'hub')];
  return inHome(userHome, '.cache/huggingface/hub');
}

function lmStudioFolders({ userHome }: Surroundings): string[] {
  return [...inHome(userHome, '.lmstudio/models'), ...inHome(userHome, '.cache/lm-studio/models')];
}

function inHome(userHome: string | undefined, path: string): string[] {
  return userHome === undefined ? [] : [join(userHome, ...path.split('/'))];
}

async function firstThat(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path;
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
