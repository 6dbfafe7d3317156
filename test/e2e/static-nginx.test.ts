import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { startNginx } from '../support/nginx.ts';
import { digestOf, publish } from '../support/registry-folder.ts';
import { program } from '../support/requirements.ts';
import { pull } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';

const lab = useLab();

describeWith([program('nginx', 'nginx')], 'a registry folder behind nginx', () => {
  it('gives a model in parts, and an unchanged list only once', async () => {
    const root = join(await lab.folder(), 'registry');
    await mkdir(root);
    const files = {
      'weights.msgpack': randomBytes(25_000_000),
      empty: Buffer.alloc(0),
      'config.json': Buffer.from('{}'),
    };
    await publish(root, ['whisper', 'tiny', '1'], files, { chunkBytes: 10_000_000 });
    const { url, requests } = await startNginx(lab, root);
    const client = await lab.machine('client');
    const pulled = await pull(client, 'whisper/tiny@1', '--registry', url, '--concurrency', '8');
    expect(pulled).toMatchObject({ transferredBytes: 25_000_002, entry: { digest: digestOf(files) } });
    expect((await pull(client, 'whisper/tiny@1', '--registry', url)).outcome).toBe('already_there');
    const lines = await requests();
    expect(lines.filter((line) => / 206 bytes=\d+-\d+ /.test(line)).length).toBeGreaterThan(5);
    expect(lines.filter((line) => line.startsWith('/models/models.json 304'))).toHaveLength(1);
  }, 120_000);
});
