import { describe, expect, it } from '@jest/globals';
import { gitSha1, sha256Of } from '../../../test/support/hub/contents.ts';
import { startHub } from '../../../test/support/hub/local-hub.ts';
import { rejection } from '../../../test/support/rejection.ts';
import { bytes, hurried, open } from './lab.ts';

const CONFIG = Buffer.from('{"model_type":"mouse"}');
const WEIGHTS = bytes(5_000, 7);
const FILES = { 'config.json': CONFIG, 'model.safetensors': WEIGHTS, 'sub/a/b.txt': Buffer.from('text') };

describe('a model of a hub', () => {
  it('is described with all its files at one commit', async () => {
    const hub = await startHub();
    const repository = hub.addModel('lab/mouse', {
      ...{ files: FILES, tags: ['safetensors', 'license:mit'], libraryName: 'transformers', parameters: 1234 },
      ...{ pipelineTag: 'text-generation', config: { architectures: ['MouseForCausalLM'], model_type: 'mouse' } },
      card: { license: 'apache-2.0', base_model: 'lab/rat' },
      hasXet: true,
    });
    const model = await open(hub).model({ repo: 'lab/mouse' });
    expect(model).toMatchObject({
      ...{ repo: 'lab/mouse', commit: repository.commitOf('main'), revision: undefined, gated: false },
      ...{ license: { id: 'apache-2.0' }, architectures: ['MouseForCausalLM'], modelType: 'mouse', parameters: 1234 },
      ...{ libraryName: 'transformers', pipelineTag: 'text-generation', baseModels: ['lab/rat'] },
    });
    expect(model.files).toEqual([
      { path: 'config.json', size: CONFIG.length, gitSha1: gitSha1(CONFIG) },
      { path: 'model.safetensors', size: WEIGHTS.length, sha256: sha256Of(WEIGHTS), xetHash: expect.any(String) },
      { path: 'sub/a/b.txt', size: 4, gitSha1: gitSha1(Buffer.from('text')) },
    ]);
  });

  it('is listed in pages, all of one commit although the branch moves meanwhile', async () => {
    const hub = await startHub();
    hub.pageSize = 2;
    const files = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`part-${i}`, Buffer.from(`part ${i}`)]));
    const repository = hub.addModel('lab/mouse', { files });
    const first = repository.commitOf('main');
    hub.fault = ({ url }) => {
      if (url.includes('/tree/') && url.includes('cursor=2')) repository.push({ 'part-0': Buffer.from('other') });
      return false;
    };
    const model = await open(hub).model({ repo: 'lab/mouse' });
    expect([model.commit, model.files.length]).toEqual([first, 7]);
    expect((await open(hub).model({ repo: 'lab/mouse' })).files).toHaveLength(1);
    expect((await open(hub).model({ repo: 'lab/mouse', revision: first })).files).toHaveLength(7);
    expect(await open(hub).commit({ repo: 'lab/mouse' })).toBe(repository.commitOf('main'));
  });

  it('is asked for again while the hub is busy or broken, and given up with what the hub said', async () => {
    const hub = await startHub();
    hub.addModel('lab/mouse', { files: FILES });
    hub.fault = (_asked, response, times) => {
      if (times === 1) response.writeHead(429, { 'retry-after': '2' }).end();
      if (times === 2) response.destroy();
      return times < 3;
    };
    const waits: number[] = [];
    const patient = open(hub, { onBusy: (waitMs) => waits.push(waitMs) });
    expect((await patient.model({ repo: 'lab/mouse' })).files).toHaveLength(3);
    // The list of files is asked for apart.
    expect(waits).toEqual([2000, 2000]);
    hub.fault = (_asked, response) => response.writeHead(503).end() !== undefined;
    expect(await rejection(open(hub).model({ repo: 'lab/mouse' }))).toMatchObject({ code: 'busy' });
  });

  it('is not found where it, its revision or the right to see it is missing', async () => {
    const hub = await startHub();
    hub.addModel('lab/mouse', { files: FILES });
    hub.addModel('lab/secret', { files: FILES, isPrivate: true });
    for (const repo of ['lab/rat', 'lab/secret']) {
      const error = await rejection(open(hub).model({ repo }));
      expect(error).toMatchObject({ code: 'not_found', details: { problem: 'token_missing' } });
      expect(error.message).toContain('HF_TOKEN');
    }
    const error = await rejection(open(hub).model({ repo: 'lab/mouse', revision: 'v9' }));
    expect(error).toMatchObject({ code: 'not_found' });
    expect(error.message).toContain('no branch, tag or commit "v9"');
  });

  it.each([
    ['an answer that is none', () => ({ hello: 'there' })],
    ['a commit that is none', () => ({ id: 'lab/mouse', sha: '../../x' })],
    ['a list in place of a model', () => [1, 2]],
  ])('is refused for %s', async (_what, answer) => {
    const hub = await startHub();
    hub.fault = (_asked, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer())) !== undefined;
    expect(await rejection(open(hub).model({ repo: 'lab/mouse' }))).toMatchObject({ code: 'invalid_model' });
  });

  it.each([
    ['../../etc/passwd', 'path'],
    ['/etc/passwd', 'path'],
    ['.model-rtc/entry.json', 'path'],
    ['a\u0000b', 'path'],
  ])('is refused for a file at %j', async (path) => {
    const hub = await startHub();
    hub.addModel('lab/mouse', { files: { [path]: Buffer.from('x') } });
    const error = await rejection(open(hub).model({ repo: 'lab/mouse' }));
    expect(error).toMatchObject({ code: 'invalid_model' });
    expect(error.message).not.toContain('\u0000');
  });

  it('is not listed by another server than the hub', async () => {
    const hub = await startHub();
    hub.addModel('lab/mouse', { files: FILES });
    hub.fault = ({ url }, response) => {
      if (!url.includes('/tree/')) return false;
      response.writeHead(200, { 'content-type': 'application/json', link: `<${hub.storageUrl}/more>; rel="next"` });
      return response.end('[]') !== undefined;
    };
    expect(await rejection(open(hub, { token: 'hf_x' }).model({ repo: 'lab/mouse' }))).toBeDefined();
    expect(hub.asked.filter(({ at }) => at === 'storage')).toEqual([]);
  });
});

describe('a small file of a hub', () => {
  it('is read as text, and only if it is what the list says', async () => {
    const hub = await startHub();
    hub.addModel('lab/mouse', { files: FILES });
    const opened = open(hub);
    const model = await opened.model({ repo: 'lab/mouse' });
    expect(await opened.readText(model, 'config.json', 1000)).toBe(CONFIG.toString());
    expect(await rejection(opened.readText(model, 'config.json', 3))).toMatchObject({ code: 'invalid_model' });
    expect(await rejection(opened.readText(model, 'no.json', 3))).toMatchObject({ code: 'not_found' });
    hub.fault = (_asked, response) => response.end('{"model_type":"louse"}') !== undefined;
    const error = await rejection(opened.readText(model, 'config.json', 1000));
    expect(error).toMatchObject({ code: 'verification_failed', details: { path: 'config.json' } });
    expect(error.message).toContain(gitSha1(CONFIG));
  });

  it('is found under the new name of a renamed repository', async () => {
    const hub = await startHub();
    hub.addModel('lab/mouse', { files: FILES });
    hub.fault = ({ url }, response) => {
      if (!url.includes('lab/old')) return false;
      return response.writeHead(307, { location: url.replace('lab/old', 'lab/mouse') }).end() !== undefined;
    };
    const model = await open(hub).model({ repo: 'lab/old' });
    expect([model.repo, model.files.length]).toEqual(['lab/mouse', 3]);
  });
});

describe('a hub that may not be asked', () => {
  it('is asked nothing', async () => {
    const hub = await startHub();
    const opened = open(hub, { env: { HF_HUB_OFFLINE: '1' } });
    expect(opened.isOffline).toBe(true);
    const error = await rejection(opened.model({ repo: 'lab/mouse' }));
    expect(error).toMatchObject({ code: 'refused', details: { problem: 'offline' } });
    expect(hub.asked).toEqual([]);
  });

  it('is none where HF_ENDPOINT is no address', () => {
    for (const HF_ENDPOINT of ['hub', 'ftp://hub', 'https://me:secret@hub']) {
      expect(() => open({ env: { HF_ENDPOINT } }, { clock: hurried })).toThrow('HF_ENDPOINT');
    }
  });
});
