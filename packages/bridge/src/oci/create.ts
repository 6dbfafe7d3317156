import { createHash } from 'node:crypto';
import { ModelRtcError } from '@model-rtc/protocol';
import { OLLAMA_MANIFEST_TYPE, type OllamaImage, ollamaImage } from '@model-rtc/registry';
import type { Files } from '../files.ts';
import { sendJson, sendText } from '../http/json.ts';
import { HttpError, requireMethod } from '../http/problems.ts';
import type { Api, Asked } from '../http/types.ts';
import type { Catalog } from '../models/catalog.ts';
import type { BridgeModel, ModelFile } from '../types.ts';

const METHODS = ['GET', 'HEAD'];
const VERSION = { 'docker-distribution-api-version': 'registry/2.0' };
const DIGEST = /^sha256:([0-9a-f]{64})$/;
/** The namespace that ollama puts before a name without one. */
const DEFAULT_NAMESPACE = 'library';
const DEFAULT_TAG = 'latest';

/** The codes of errors that clients of such registries know. */
const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  405: 'UNSUPPORTED',
  416: 'RANGE_INVALID',
  503: 'TOOMANYREQUESTS',
};

/**
 * GGUF models as a registry of ollama, for `ollama pull localhost:PORT/library/NAME`.
 * Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md, https://github.com/ollama/ollama (server/images.go,
 * server/download.go)
 */
export function createOciApi(catalog: Catalog, files: Files): Api {
  return {
    name: 'oci',
    async answer(asked) {
      const parts = asked.path.slice(1);
      requireMethod(asked.method, METHODS);
      if (parts.join('/') === '') return sendJson(asked, 200, {}, VERSION);
      const [reference = '', kind, ...name] = parts.toReversed();
      const path = name.toReversed();
      if (kind === 'manifests' && path.length > 0)
        return await answerManifest(asked, path, reference, { catalog, files });
      if (kind === 'blobs' && path.length > 0) return await answerBlob(asked, path, reference, { catalog, files });
      throw new HttpError(404, 'UNSUPPORTED', 'This registry has manifests and blobs of GGUF models.');
    },
    describe: ({ status, code, message }) => ({
      headers: VERSION,
      body: { errors: [{ code: /^[A-Z]/.test(code) ? code : (CODES[status] ?? 'UNKNOWN'), message }] },
    }),
  };
}

interface Parts {
  readonly catalog: Catalog;
  readonly files: Files;
}

async function answerManifest(asked: Asked, name: readonly string[], reference: string, parts: Parts): Promise<void> {
  const isDigest = DIGEST.test(reference);
  const image = await findImage(asked, name, isDigest ? DEFAULT_TAG : reference, parts);
  const digest = `sha256:${createHash('sha256').update(image.manifest).digest('hex')}`;
  if (isDigest && reference !== digest) {
    throw new HttpError(404, 'MANIFEST_UNKNOWN', `The manifest of ${name.join('/')} is another one.`);
  }
  sendText(asked, 200, image.manifest, {
    ...VERSION,
    'content-type': OLLAMA_MANIFEST_TYPE,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  });
}

async function answerBlob(asked: Asked, name: readonly string[], reference: string, parts: Parts): Promise<void> {
  const [, sha256] = DIGEST.exec(reference) ?? [];
  if (sha256 === undefined)
    throw new HttpError(400, 'DIGEST_INVALID', 'A digest is sha256: and 64 hexadecimal digits.');
  const headers = { ...VERSION, 'docker-content-digest': reference };
  for (const model of await findModels(name, parts.catalog)) {
    const files = await parts.files.list(model, asked.signal);
    const file = files.find((one) => one.sha256 === sha256);
    if (file !== undefined) return await parts.files.send(asked, model, file, headers);
    const made = makeImage(model, files);
    if ('refusal' in made || made.image.configSha256 !== sha256) continue;
    const { config } = made.image;
    return await parts.files.sendBytes(asked, config, { path: 'config.json', size: config.length, sha256 }, headers);
  }
  throw new HttpError(404, 'BLOB_UNKNOWN', `${name.join('/')} has no such blob here.`);
}

/**
 * The model that a name and a tag mean. The tag chooses among the models of one repository, by the quantization in their file's name.
 * @throws HttpError `NAME_UNKNOWN`, `MANIFEST_UNKNOWN`; ModelRtcError `refused` for what ollama cannot run
 */
async function findImage(
  asked: Asked,
  name: readonly string[],
  tag: string,
  parts: Parts,
): Promise<OllamaImage<ModelFile>> {
  const models = await findModels(name, parts.catalog);
  let refusal: unknown;
  for (const model of models) {
    const files = await parts.files.list(model, asked.signal);
    if (models.length > 1 && !matchesTag(model, files, tag)) continue;
    const made = makeImage(model, files);
    if ('image' in made) return made.image;
    refusal ??= made.refusal;
  }
  if (refusal !== undefined) throw refusal;
  throw new HttpError(404, 'MANIFEST_UNKNOWN', `No model of ${name.join('/')} is called ${JSON.stringify(tag)} here.`);
}

type MadeImage = { readonly image: OllamaImage<ModelFile> } | { readonly refusal: unknown };

/** One repository may have a model that ollama runs beside others that it does not. */
function makeImage(model: BridgeModel, files: readonly ModelFile[]): MadeImage {
  try {
    return { image: ollamaImage(model.type, files) };
  } catch (refusal) {
    return { refusal };
  }
}

function matchesTag({ releases, alias, id }: BridgeModel, files: readonly ModelFile[], tag: string): boolean {
  if (tag === DEFAULT_TAG || tag === alias || tag === id) return true;
  const wanted = tag.toLowerCase();
  const isIn = ({ path }: ModelFile): boolean => {
    const words = path
      .toLowerCase()
      .replace(/\.gguf$/, '')
      .split(/[./-]/);
    return path.toLowerCase().endsWith('.gguf') && words.includes(wanted);
  };
  return releases.some(({ version }) => version === tag) || files.some(isIn);
}

/** The models of a name: an alias, full name or id, with or without `library/`; else the models of a hub's repository. */
async function findModels(name: readonly string[], catalog: Catalog): Promise<readonly BridgeModel[]> {
  const full = name.join('/');
  const plain = name[0] === DEFAULT_NAMESPACE ? name.slice(1).join('/') : full;
  const ofRepo = (await catalog.list()).filter(
    ({ hub, releases }) =>
      hub?.repo.toLowerCase() === plain.toLowerCase() ||
      releases.some(({ group, model }) => `${group}/${model}` === plain),
  );
  if (ofRepo.length > 0) return ofRepo;
  try {
    return [await catalog.find(plain)];
  } catch (error) {
    if (ModelRtcError.from(error).code !== 'not_found') throw error;
    throw HttpError.because(error, 404, 'NAME_UNKNOWN', `There is no model ${full} here.`);
  }
}
