import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../../../test/support/temporary-folder.ts';
import { findNamed } from '../../../../src/commands/client/import-model/named-store.ts';

async function homeWith(...paths: string[]): Promise<string> {
  const home = await temporaryFolder();
  for (const path of paths) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), 'x');
  }
  return home;
}

const MANIFEST = 'manifests/registry.ollama.ai/library/llama3.2/1b';

describe('a model that is named as another tool names it', () => {
  it("is found in ollama's store, in its usual place or where OLLAMA_MODELS says", async () => {
    const userHome = await homeWith(`.ollama/models/${MANIFEST}`, `disk/${MANIFEST.replace('1b', 'latest')}`);
    const path = join(userHome, '.ollama/models', MANIFEST);
    expect(await findNamed('ollama:llama3.2:1b', { env: {}, userHome })).toEqual({ path });
    const env = { OLLAMA_MODELS: join(userHome, 'disk') };
    expect((await findNamed('ollama:llama3.2', { env, userHome })).path).toMatch(/disk.*latest$/);
    await expect(findNamed('ollama:llama3.2:1b', { env, userHome })).rejects.toMatchObject({
      code: 'not_found_locally',
      message: expect.stringContaining(env.OLLAMA_MODELS),
    });
  });

  it.each(['ollama:', 'ollama:../../etc/passwd', 'ollama:..:1b', 'ollama:a:..', 'ollama:a/b/c', 'ollama:../a'])(
    'is refused where its name leaves the store: %s',
    async (name) => {
      await expect(findNamed(name, { env: {}, userHome: await homeWith() })).rejects.toMatchObject({
        code: 'bad_argument',
      });
    },
  );

  it('is found in the cache of Hugging Face, with its revision', async () => {
    const inCache = 'models--acme--tiny/refs/main';
    const userHome = await homeWith(`.cache/huggingface/hub/${inCache}`, `a/hub/${inCache}`, `b/${inCache}`);
    const find = async (name: string, env: Record<string, string> = {}) => await findNamed(name, { env, userHome });
    const usual = join(userHome, '.cache/huggingface/hub/models--acme--tiny');
    expect(await find('acme/tiny')).toEqual({ path: usual, revision: undefined });
    expect(await find('acme/tiny@v2')).toEqual({ path: usual, revision: 'v2' });
    const env = { HF_HOME: join(userHome, 'a') };
    expect((await find('acme/tiny', env)).path).toBe(join(userHome, 'a/hub/models--acme--tiny'));
    const both = { ...env, HF_HUB_CACHE: join(userHome, 'b') };
    expect((await find('acme/tiny', both)).path).toBe(join(userHome, 'b/models--acme--tiny'));
  });

  it("is found in LM Studio's folder, and is a path otherwise", async () => {
    const userHome = await homeWith('.lmstudio/models/acme/tiny-GGUF/tiny-Q4_K_M.gguf');
    const find = async (name: string) => await findNamed(name, { env: {}, userHome });
    expect(await find('acme/tiny-GGUF')).toEqual({ path: join(userHome, '.lmstudio/models/acme/tiny-GGUF') });
    expect(await find('acme/none')).toEqual({ path: 'acme/none' });
    expect(await find('../..')).toEqual({ path: '../..' });
    expect(await find('package.json')).toEqual({ path: 'package.json' });
  });
});
