import type { Files } from '../files.ts';
import { sendJson } from '../http/json.ts';
import { notFound, requireMethod } from '../http/problems.ts';
import { numberParameter } from '../http/target.ts';
import type { Api, Asked } from '../http/types.ts';
import { MAX_LISTED } from '../limits.ts';
import type { Catalog } from '../models/catalog.ts';
import { mainFile } from '../models/describe.ts';
import type { BridgeModel, ModelFile } from '../types.ts';
import { fileJson, modelJson } from './model-json.ts';

export interface ModelsApiOptions {
  readonly catalog: Catalog;
  readonly files: Files;
}

const METHODS = ['GET', 'HEAD'];

/**
 * `/v1/models` in the shape of OpenAI's API, with what we know besides, and `/v1/models/download/ID`.
 * Source: https://platform.openai.com/docs/api-reference/models
 */
export function createModelsApi(options: ModelsApiOptions): Api {
  return {
    name: 'models',
    async answer(asked) {
      requireMethod(asked.method, METHODS);
      const [, , first, ...rest] = asked.path;
      if (first === undefined || (first === '' && rest.length === 0)) return await answerList(asked, options);
      // A model of this name can still be asked for: its slash is encoded then.
      if (first === 'download' && rest.length > 0) return await answerDownload(asked, rest.join('/'), options);
      await answerModel(asked, [first, ...rest].join('/'), options);
    },
    describe: ({ status, code, message }) => ({
      body: { error: { message, type: status < 500 ? 'invalid_request_error' : 'server_error', param: null, code } },
    }),
  };
}

/** With `limit` and `after`, as OpenAI's longer lists have them. */
async function answerList(asked: Asked, { catalog }: ModelsApiOptions): Promise<void> {
  const models = await catalog.list();
  const limit = numberParameter(asked.query, 'limit', MAX_LISTED);
  const after = asked.query.get('after');
  const at = after === null ? 0 : models.findIndex(({ id, alias }) => id === after || alias === after) + 1;
  if (after !== null && at === 0) throw notFound(`There is no model ${JSON.stringify(after)} to go on after.`);
  const page = models.slice(at, at + limit).map((model) => modelJson(model, asked.origin));
  const ends = { first_id: page[0]?.id ?? null, last_id: page.at(-1)?.id ?? null };
  sendJson(asked, 200, { object: 'list', data: page, ...ends, has_more: at + page.length < models.length });
}

async function answerModel(asked: Asked, ref: string, { catalog, files }: ModelsApiOptions): Promise<void> {
  const model = await catalog.find(ref);
  const found = await files.list(model, asked.signal);
  sendJson(asked, 200, {
    ...modelJson(model, asked.origin, mainFile(model, found)),
    files: found.map((file) => fileJson(model, file, asked.origin)),
  });
}

async function answerDownload(asked: Asked, ref: string, { catalog, files }: ModelsApiOptions): Promise<void> {
  const model = await catalog.find(ref);
  const file = chooseFile(model, await files.list(model, asked.signal), asked.query.get('file'));
  await files.send(asked, model, file);
}

/** @throws HttpError 404 */
function chooseFile(model: BridgeModel, files: readonly ModelFile[], path: string | null): ModelFile {
  const file = path === null ? mainFile(model, files) : files.find((one) => one.path === path);
  if (file !== undefined) return file;
  const name = JSON.stringify(model.alias ?? model.id);
  const advice = `See its ${files.length} files in /v1/models/${model.id}, and add ?file=PATH.`;
  throw notFound(
    path === null
      ? `Model ${name} has several files, and none of them is its main one. ${advice}`
      : `Model ${name} has no file ${JSON.stringify(path)}. ${advice}`,
  );
}
