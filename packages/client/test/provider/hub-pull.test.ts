import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ModelProvider } from '@model-rtc/transfer';
import { gitSha1, sha256Of } from '../../../../test/support/hub/contents.ts';
import { type LocalHub, startHub } from '../../../../test/support/hub/local-hub.ts';
import type { Repository } from '../../../../test/support/hub/repository.ts';
import { HUB_BYTES, HUB_FILES, HUB_REF, hubProvider, pullFromHub } from '../support/hub-lab.ts';
import { failure, openTestRegistry, temporaryFolder } from '../support/lab.ts';
import { openSwarm } from '../support/swarm-lab.ts';

const [LARGE, SECOND] = Object.keys(HUB_FILES) as [string, string];

async function hubWithModel(): Promise<{ hub: LocalHub; repository: Repository }> {
  const hub = await startHub();
  const repository = hub.addModel('lab/mouse', { files: HUB_FILES, card: { license: 'mit' }, parameters: 12 });
  return { hub, repository };
}

/** The cache of the hub's own tools, written as its documentation says. */
async function cacheWith(files: Readonly<Record<string, Buffer>>, commit: string, links = true): Promise<string> {
  const home = await temporaryFolder();
  const repository = join(home, 'hub', 'models--lab--mouse');
  for (const [path, bytes] of Object.entries(files)) {
    const snapshot = join(repository, 'snapshots', commit, path);
    const wanted = HUB_FILES[path] ?? bytes;
    const blob = join(repository, 'blobs', wanted.length >= 1024 ? sha256Of(wanted) : gitSha1(wanted));
    for (const each of [snapshot, blob]) await mkdir(dirname(each), { recursive: true });
    await writeFile(links ? blob : snapshot, bytes);
    if (links) await symlink(blob, snapshot);
  }
  return home;
}

describe('a model of a hub', () => {
  it('is installed under the digest that an import gives, with where it came from', async () => {
    const { hub, repository } = await hubWithModel();
    const { pulled, registry } = await pullFromHub([await hubProvider(hub)]);
    expect(pulled).toMatchObject({
      ...{ outcome: 'pulled', transferredBytes: HUB_BYTES },
      entry: {
        ...{ source: 'hub', name: 'lab/mouse', license: 'mit', parameters: 12 },
        hub: { repo: 'lab/mouse', commit: repository.commitOf('main'), endpoint: hub.url },
      },
    });
    hub.asked.length = 0;
    const again = await pullFromHub([await hubProvider(hub)], { here: registry });
    expect(again.pulled.outcome).toBe('already_there');
    // Of small files a hub tells git's hash alone.
    expect(again.pulled.transferredBytes).toBeLessThan(1024);
    expect(hub.asked.filter(({ at }) => at === 'storage')).toEqual([]);
  });

  it('comes from the cache of the tools of the hub, in place, without a request for a file', async () => {
    const { hub, repository } = await hubWithModel();
    for (const links of [true, false]) {
      const home = await cacheWith(HUB_FILES, repository.commitOf('main') as string, links);
      hub.asked.length = 0;
      const { pulled } = await pullFromHub([await hubProvider(hub, { env: { HF_HOME: home } })]);
      expect(pulled).toMatchObject({ transferredBytes: 0, reusedBytes: HUB_BYTES });
      expect(hub.fileRequests).toBe(0);
    }
  });

  it('takes nothing wrong from that cache, and nothing from outside of it', async () => {
    const { hub, repository } = await hubWithModel();
    const damaged = Buffer.from(HUB_FILES[LARGE] as Buffer);
    damaged.fill(1, 3_000_000, 3_000_010);
    const commit = repository.commitOf('main') as string;
    const home = await cacheWith({ ...HUB_FILES, [LARGE]: damaged }, commit);
    const { pulled } = await pullFromHub([await hubProvider(hub, { env: { HF_HOME: home } })]);
    expect(pulled.transferredBytes).toBe(damaged.length);
    const elsewhere = join(await temporaryFolder(), 'weights');
    await writeFile(elsewhere, HUB_FILES[LARGE] as Buffer);
    const strange = await temporaryFolder();
    const link = join(strange, 'hub', 'models--lab--mouse', 'snapshots', commit, LARGE);
    await mkdir(dirname(link), { recursive: true });
    await symlink(elsewhere, link);
    const other = await pullFromHub([await hubProvider(hub, { env: { HF_HOME: strange } })]);
    expect(other.pulled.transferredBytes).toBe(HUB_BYTES);
  });

  it('comes without the large files that other models on this machine have', async () => {
    const { hub } = await hubWithModel();
    const here = await openTestRegistry();
    const original = join(await temporaryFolder(), 'other');
    await mkdir(original);
    await writeFile(join(original, 'renamed.bin'), HUB_FILES[LARGE] as Buffer);
    await here.importModel(original, { copy: true, asIs: true });
    const { pulled } = await pullFromHub([await hubProvider(hub)], { here });
    const large = (HUB_FILES[LARGE] as Buffer).length;
    expect(pulled).toMatchObject({ transferredBytes: HUB_BYTES - large, reusedBytes: large });
    expect(hub.askedFor(sha256Of(HUB_FILES[LARGE] as Buffer))).toEqual([]);
  });

  it('comes from a worker that has it and the hub at once', async () => {
    const { hub } = await hubWithModel();
    const { group, workers } = await openSwarm(1);
    await pullFromHub([await hubProvider(hub)], { here: workers[0]?.registry });
    const worker = group.workers[0]?.provider as ModelProvider;
    const provider = await hubProvider(hub);
    const { pulled } = await pullFromHub([provider, worker], { ref: provider.ref });
    expect(pulled.transferredBytes).toBe(HUB_BYTES);
    expect(pulled.entry).toMatchObject({ source: 'hub', hub: { repo: 'lab/mouse' } });
  });
});

describe('a download from a hub', () => {
  it.each([
    ['offers its files over Xet too', 200],
    ['refuses to give them over Xet', 403],
  ])('takes files from their signed addresses where a hub %s', async (_what, status) => {
    const hub = await startHub();
    hub.addModel('lab/mouse', { files: HUB_FILES, hasXet: true });
    hub.fault = ({ url }, response) =>
      /xet-read-token|reconstructions/.test(url) && response.writeHead(status).end('{}') !== undefined;
    const { pulled } = await pullFromHub([await hubProvider(hub)]);
    expect(pulled.transferredBytes).toBe(HUB_BYTES);
    expect(hub.asked.filter(({ at }) => at === 'storage').every(({ url }) => url.startsWith('/lfs/'))).toBe(true);
  });

  it('goes on with new addresses when signed ones expire', async () => {
    const { hub } = await hubWithModel();
    hub.signedFor = 1;
    const { pulled } = await pullFromHub([await hubProvider(hub)]);
    expect(pulled.transferredBytes).toBe(HUB_BYTES);
    expect(hub.askedFor(`/${LARGE}`).length).toBeGreaterThan(1);
  });

  it('goes on where connections are cut, and waits where the hub or its storage is busy', async () => {
    const { hub } = await hubWithModel();
    let cuts = 0;
    hub.fault = ({ at, url }, response, times) => {
      if (at === 'hub' && url.includes('/resolve/') && times === 1) {
        return response.writeHead(429, { 'retry-after': '1' }).end() !== undefined;
      }
      if (at === 'storage' && cuts++ % 3 === 1) {
        const write = response.write.bind(response);
        response.write = ((piece: Buffer) => {
          write(piece.subarray(0, Math.ceil(piece.length / 2)));
          return response.destroy() !== undefined;
        }) as typeof response.write;
      }
      return false;
    };
    const { pulled } = await pullFromHub([await hubProvider(hub)]);
    expect(pulled.outcome).toBe('pulled');
    expect(cuts).toBeGreaterThan(2);
  });

  it('replaces a connection that is stuck', async () => {
    const { hub } = await hubWithModel();
    const stuck: string[] = [];
    hub.fault = ({ at, url, range }, response) => {
      if (at !== 'storage' || stuck.length >= 2) return false;
      stuck.push(url);
      const file = HUB_FILES[url.includes(sha256Of(HUB_FILES[SECOND] as Buffer)) ? SECOND : LARGE] as Buffer;
      const from = Number(/=(\d+)/.exec(range ?? '')?.[1]);
      response.writeHead(206, { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` });
      response.write(file.subarray(from, from + 10));
      return true;
    };
    const { pulled } = await pullFromHub([await hubProvider(hub)]);
    expect([pulled.outcome, stuck.length]).toEqual(['pulled', 2]);
  });

  it('is of one commit although the branch moves meanwhile', async () => {
    const { hub, repository } = await hubWithModel();
    const first = repository.commitOf('main');
    hub.fault = ({ at }) => {
      if (at === 'storage') repository.push({ ...HUB_FILES, 'config.json': Buffer.from('{"model_type":"rat"}') });
      return false;
    };
    const { pulled } = await pullFromHub([await hubProvider(hub)]);
    expect(pulled.entry.hub?.commit).toBe(first);
    expect(repository.commitOf('main')).not.toBe(first);
  });

  it('names the file and the hub where the bytes are not those of the hash, and installs nothing', async () => {
    const { hub } = await hubWithModel();
    hub.fault = ({ at, url, range }, response) => {
      if (at !== 'storage' || !url.includes(sha256Of(HUB_FILES[SECOND] as Buffer))) return false;
      const [from = 0, to = 0] = (range ?? '').slice('bytes='.length).split('-').map(Number);
      const wrong = Buffer.alloc(to + 1 - from, 9);
      const length = (HUB_FILES[SECOND] as Buffer).length;
      return response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${length}` }).end(wrong) !== undefined;
    };
    const here = await openTestRegistry();
    const error = await failure(pullFromHub([await hubProvider(hub)], { here }));
    expect(error).toMatchObject({ code: 'verification_failed' });
    expect(error.message).toContain(SECOND);
    expect(error.message).toContain(new URL(hub.url).host);
    expect((await here.list({ filters: {}, sort: 'date', limit: 10 })).models).toEqual([]);
  });

  it('is refused where a gated model gives this account no files, with what to do', async () => {
    const hub = await startHub();
    hub.addModel('lab/mouse', { files: HUB_FILES, gated: 'manual' });
    const error = await failure(pullFromHub([await hubProvider(hub)]));
    expect(error).toMatchObject({ code: 'refused' });
    expect(error.message).toContain(`${hub.url}/lab/mouse`);
  });

  it('does not begin anew what an attempt before it fetched', async () => {
    const { hub } = await hubWithModel();
    const here = await openTestRegistry();
    const abort = new AbortController();
    hub.fault = ({ at, url }) => {
      if (at === 'storage' && url.includes(sha256Of(HUB_FILES[SECOND] as Buffer))) abort.abort();
      return abort.signal.aborted ? new Promise(() => {}) : false;
    };
    await failure(pullFromHub([await hubProvider(hub, { connections: 1 })], { here, signal: abort.signal }));
    hub.fault = () => false;
    const { pulled } = await pullFromHub([await hubProvider(hub)], { here });
    expect(pulled.resumedBytes).toBeGreaterThan(0);
    expect(pulled.transferredBytes + pulled.resumedBytes).toBe(HUB_BYTES);
  });
});

it('is called by name, or by the commit that it had', async () => {
  const { hub, repository } = await hubWithModel();
  const provider = await hubProvider(hub);
  const commit = repository.commitOf('main');
  expect(provider.ref).toBe(`${HUB_REF}@${commit}`);
  expect((await provider.resolve(HUB_REF)).entry.hub?.commit).toBe(commit);
  expect((await failure(provider.resolve(`${HUB_REF}@other`))).code).toBe('not_found');
});
