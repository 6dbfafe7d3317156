import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type LocalHub, startHub } from '../../../../test/support/hub/local-hub.ts';
import { temporaryFolder } from '../../../../test/support/registry-folder.ts';
import { rejection } from '../../../../test/support/rejection.ts';
import { bytes, open } from '../lab.ts';

const FILES = { 'config.json': Buffer.from('{}'), 'weights.bin': bytes(2_000, 3) };

/** A hub with a gated model, which the token `hf_reader` may read and `hf_stranger` may not. */
async function gatedHub(): Promise<LocalHub> {
  const hub = await startHub();
  hub.tokens.add('hf_reader').add('hf_stranger');
  hub.addModel('lab/gated', { files: FILES, gated: 'manual' }).readers.add('hf_reader');
  return hub;
}

async function readWith(hub: LocalHub, options: Parameters<typeof open>[1]): Promise<string> {
  const opened = open(hub, options);
  return await opened.readText(await opened.model({ repo: 'lab/gated' }), 'config.json', 100);
}

async function fileWith(path: string, text: string): Promise<string> {
  const file = join(await temporaryFolder(), path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

describe('the access token', () => {
  it('is taken from a person, a file, the environment, or where the tools of the hub keep it', async () => {
    const hub = await gatedHub();
    const tokenFile = await fileWith('token', 'hf_reader\n');
    const home = dirname(await fileWith('.cache/huggingface/token', 'hf_reader'));
    const places = [
      { token: 'hf_reader', env: { HF_TOKEN: 'hf_stranger' } },
      { tokenFile, env: { HF_TOKEN: 'hf_stranger' } },
      { env: { HF_TOKEN: ' hf_reader ' } },
      { env: { HUGGING_FACE_HUB_TOKEN: 'hf_reader' } },
      { env: { HF_TOKEN_PATH: tokenFile } },
      { env: { HF_HOME: home } },
      { env: { XDG_CACHE_HOME: dirname(home) } },
      { env: { HOME: dirname(dirname(home)) } },
    ];
    for (const options of places) {
      expect(await open(hub, options).hasToken()).toBe(true);
      expect(await readWith(hub, options)).toBe('{}');
    }
    const hidden = { HF_HUB_DISABLE_IMPLICIT_TOKEN: '1', HF_TOKEN: 'hf_reader', HF_HOME: home };
    expect(await open(hub, { env: hidden }).hasToken()).toBe(false);
  });

  it('is asked for where it is missing, and named where it is wrong or gives no right', async () => {
    const hub = await gatedHub();
    const missing = await rejection(readWith(hub, {}));
    expect(missing).toMatchObject({ code: 'refused', details: { problem: 'token_missing' } });
    expect(missing.message).toContain(`${hub.url}/lab/gated`);
    const stranger = await rejection(readWith(hub, { token: 'hf_stranger' }));
    expect(stranger).toMatchObject({ code: 'refused', details: { problem: 'not_authorized' } });
    const wrong = await rejection(readWith(hub, { token: 'hf_wrong' }));
    expect(wrong).toMatchObject({ code: 'refused', details: { problem: 'token_refused' } });
    for (const { message, details, stack } of [missing, stranger, wrong]) {
      expect(JSON.stringify([message, details, stack])).not.toContain('hf_');
    }
  });

  it('is told to nobody but the hub', async () => {
    const hub = await gatedHub();
    const opened = open(hub, { token: 'hf_reader' });
    const model = await opened.model({ repo: 'lab/gated' });
    const answer = await opened.file(model, 'weights.bin').read({ range: { offset: 10, length: 20 } });
    expect(answer).toMatchObject({ kind: 'found', offset: 10, totalBytes: 2_000 });
    expect(hub.asked.filter(({ at }) => at === 'storage')).toMatchObject([{ authorization: undefined }]);
    expect(hub.asked.filter(({ at, authorization }) => at === 'hub' && authorization === undefined)).toEqual([]);
  });

  it('is refused where it is none, without being shown', async () => {
    const hub = await gatedHub();
    const strange = 'secret\u0007 words';
    for (const options of [
      { token: strange },
      { env: { HF_TOKEN: strange } },
      { tokenFile: await fileWith('t', strange) },
    ]) {
      const error = await rejection(open(hub, options).hasToken());
      expect(error).toMatchObject({ code: 'bad_argument' });
      expect(error.message).not.toContain('secret');
    }
    const long = await fileWith('long', 'x'.repeat(10_000));
    expect(await rejection(open(hub, { tokenFile: long }).hasToken())).toMatchObject({ code: 'bad_argument' });
    const gone = rejection(open(hub, { tokenFile: `${long}-gone` }).hasToken());
    expect(await gone).toMatchObject({ code: 'not_found_locally' });
  });
});
