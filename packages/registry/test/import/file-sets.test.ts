import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { scanModel } from '../../src/import/scan-model.ts';
import { type Files, writeFiles } from '../helpers/models.ts';

const XML = '<?xml version="1.0"?><net name="x"></net>';

async function scan(files: Files, name: string) {
  const folder = await writeFiles(await temporaryFolder(), files);
  const { files: found, facts, suggestedAlias } = await scanModel(`${folder}/${name}`);
  return {
    paths: found.map(({ path }) => path),
    checkpoint: facts.checkpointPath,
    type: facts.modelType,
    suggestedAlias,
  };
}

describe('one file of a model', () => {
  it.each(['m-00001-of-00002.bin', 'm-00002-of-00002.bin'])(
    '%s stands for all shards and their index',
    async (name) => {
      const shards = { 'm-00001-of-00002.bin': 'a', 'm-00002-of-00002.bin': 'b', 'm.bin.index.json': '{}' };
      const paths = Object.keys(shards);
      const found = await scan({ ...shards, 'other.bin': 'c', 'm-00001-of-00003.bin': 'd' }, name);
      expect(found).toMatchObject({ paths, checkpoint: paths[0], suggestedAlias: 'm' });
    },
  );

  it.each(['x.xml', 'x.bin'])('%s stands for the network of OpenVINO and its weights', async (name) => {
    const found = await scan({ 'x.xml': XML, 'x.bin': 'w', 'y.bin': 'v' }, name);
    expect(found).toMatchObject({ paths: ['x.bin', 'x.xml'], checkpoint: 'x.xml', type: 'openvino' });
  });

  it.each(['m.ckpt-9.index', 'm.ckpt-9.meta', 'm.ckpt-9.data-00000-of-00001'])(
    '%s stands for a checkpoint of TensorFlow',
    async (name) => {
      const three = ['m.ckpt-9.data-00000-of-00001', 'm.ckpt-9.index', 'm.ckpt-9.meta'];
      const files = Object.fromEntries([...three, 'm.ckpt-8.index', 'checkpoint'].map((path) => [path, 'x']));
      expect(await scan(files, name)).toMatchObject({ paths: three, checkpoint: three[1], type: 'tensorflow' });
    },
  );

  it.each(['saved_model.pb'])('%s stands for its folder', async (name) => {
    const files = { 'saved_model.pb': 'g', 'variables/variables.index': 'i', 'assets/labels.txt': 'mouse' };
    expect((await scan(files, name)).paths).toEqual([
      'assets/labels.txt',
      'saved_model.pb',
      'variables/variables.index',
    ]);
  });

  it('stands for itself where nothing belongs to it', async () => {
    expect((await scan({ 'x.bin': 'w', 'x.xml': '<annotation/>', 'y.pt': 'v' }, 'x.bin')).paths).toEqual(['x.bin']);
  });
});

it('keeps what a loader needs although it is hidden or called a lock', async () => {
  const files = { 'm.pt': 'w', '.hydra/config.yaml': 'a: 1', 'uv.lock': 'v', 'm.pt.lock': '', '.git/HEAD': 'x' };
  expect((await scan(files, '')).paths).toEqual(['.hydra/config.yaml', 'm.pt', 'uv.lock']);
});
