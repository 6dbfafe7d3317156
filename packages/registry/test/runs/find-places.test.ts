import { chmod, mkdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { findPlaces } from '../../src/runs/find-places.ts';
import { lookAt } from '../../src/runs/look-at-place.ts';
import { writeFiles } from '../import/folders.ts';
import { writeNnRun } from './training-runs.ts';

async function placesIn(root: string, except: string[] = []): Promise<string[]> {
  const { places } = await findPlaces(root, except);
  return places.map(({ kind, path }) => `${kind} ${relative(root, path) || '.'}`);
}

const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);

/** A repository in the cache of a hub: files are links to blobs. */
async function writeRepository(root: string, refs: Record<string, string>, commits = [OLD, NEW]): Promise<string> {
  const repository = join(root, 'models--acme--tiny-llama');
  await writeFiles(repository, { 'blobs/1': '{"model_type":"llama"}', 'blobs/2': 'weights' });
  for (const commit of commits) {
    const snapshot = join(repository, 'snapshots', commit);
    await mkdir(snapshot, { recursive: true });
    await symlink('../../blobs/1', join(snapshot, 'config.json'));
    await symlink('../../blobs/2', join(snapshot, 'model.safetensors'));
  }
  await mkdir(join(repository, 'refs'), { recursive: true });
  for (const [name, commit] of Object.entries(refs)) await writeFiles(join(repository, 'refs'), { [name]: commit });
  return repository;
}

describe('looking for models in a folder', () => {
  it('takes a model with its projector for one, in a tree of LM Studio, and models side by side for several', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, {
      'acme/Eyes-GGUF/Eyes-Q4_K_M.gguf': 'x',
      'acme/Eyes-GGUF/mmproj-Eyes-f16.gguf': 'x',
      'acme/Large-GGUF/Large-00001-of-00002.gguf': 'x',
      'acme/Large-GGUF/Large-00002-of-00002.gguf': 'x',
      'acme/Large-GGUF/mmproj-Large.gguf': 'x',
      'acme/Two-GGUF/Two-Q2_K.gguf': 'x',
      'acme/Two-GGUF/Two-Q8_0.gguf': 'x',
    });
    expect(await placesIn(root)).toEqual([
      'folder acme/Eyes-GGUF',
      'folder acme/Large-GGUF',
      'file acme/Two-GGUF/Two-Q2_K.gguf',
      'file acme/Two-GGUF/Two-Q8_0.gguf',
    ]);
  });

  it('finds runs, hub repositories, folders of weights and single files, each once', async () => {
    const root = await temporaryFolder();
    await writeNnRun(root);
    await writeFiles(root, {
      'lone.gguf': 'x',
      'hub/config.json': '{}',
      'hub/model.safetensors': 'x',
      'pipeline/model_index.json': '{}',
      'pipeline/unet/model.safetensors': 'x',
      'plain/weights.pt': 'x',
      'plain/README.md': 'x',
      'quantized/a-Q4.gguf': 'x',
      'quantized/a-Q8.gguf': 'x',
      'sharded/m-00001-of-00002.safetensors': 'x',
      'sharded/m-00002-of-00002.safetensors': 'x',
      'app/config.json': '{}',
      'app/deeper/net.onnx': 'x',
      'app/deeper/other/readme.txt': 'x',
      'notes/readme.txt': 'x',
    });
    expect(await placesIn(root)).toEqual([
      'folder app',
      'folder hub',
      'file lone.gguf',
      'run models/mouse',
      'folder pipeline',
      'folder plain',
      'file quantized/a-Q4.gguf',
      'file quantized/a-Q8.gguf',
      'folder sharded',
    ]);
  });

  it('passes over logs, hidden folders, intermediate states of a training, and the folders that it is told to', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, {
      'logs/events.out.tfevents.1': 'x',
      'wandb/a.ckpt': 'x',
      '.trash/a.ckpt': 'x',
      'trainer/checkpoint-500/model.safetensors': 'x',
      'own/models/a.pt': 'x',
      'unfinished.pt.part': 'x',
    });
    expect(await placesIn(root, [join(root, 'own')])).toEqual([]);
  });

  it("finds runs in the frameworks' default places, one a run", async () => {
    const root = await temporaryFolder();
    await writeFiles(root, {
      'labels.xml': 'x',
      'args.yaml': 'x',
      'yolo11n.pt': 'x',
      'a/yolo11n.pt': 'x',
      'a/runs/detect/train/args.yaml': 'x',
      'a/runs/detect/train/weights/best.pt': 'x',
      'a/runs/detect/train/weights/last.pt': 'x',
      'b/config.json': '{}',
      'b/outputs/2024-05-01/10-00-00/.hydra/config.yaml': 'x',
      'b/outputs/2024-05-01/10-00-00/lightning_logs/version_0/checkpoints/a.ckpt': 'x',
      'c/lightning_logs/version_0/hparams.yaml': 'x',
      'c/lightning_logs/version_1/hparams.yaml': 'x',
      'c/lightning_logs/version_1/checkpoints/a.ckpt': 'x',
      'd/mlruns/0/abc/artifacts/model/MLmodel': 'x',
      'd/mlruns/0/abc/artifacts/model/data/model.pth': 'x',
      'e/plans.json': '{}',
      'e/fold_0/checkpoint_final.pth': 'x',
      'f/dlc-models/iteration-0/s1/train/pose_cfg.yaml': 'x',
      'f/dlc-models/iteration-0/s1/train/snapshot-5.index': 'x',
      'f/dlc-models/iteration-0/s1/train/snapshot-5.data-00000-of-00001': 'x',
      'f/dlc-models/iteration-0/s1/test/pose_cfg.yaml': 'x',
      'checkpoints/one.ckpt': 'x',
    });
    expect(await placesIn(root)).toEqual([
      'folder a/runs/detect/train',
      'file a/yolo11n.pt',
      'folder b/outputs/2024-05-01/10-00-00',
      'folder c/lightning_logs/version_1',
      'folder checkpoints',
      'folder d/mlruns/0/abc/artifacts/model',
      'folder e',
      'folder f/dlc-models/iteration-0/s1',
      'file yolo11n.pt',
    ]);
  });

  it('is the run itself when it is given one', async () => {
    expect(await placesIn(await writeNnRun(await temporaryFolder()))).toEqual(['run .']);
  });

  it('takes the parts of one file that a hub split for one model', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { 'llama/llama.gguf.part1of2': 'x', 'llama/llama.gguf.part2of2': 'x' });
    expect(await placesIn(root)).toEqual(['folder llama']);
  });

  it('follows links within the folder, not in circles and not out of it', async () => {
    const [root, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
    await writeFiles(elsewhere, { 'net/a.pt': 'x' });
    await writeFiles(root, { '.store/net/a.pt': 'x' });
    await symlink('.store', join(root, 'linked'));
    await symlink('..', join(root, '.store', 'back'));
    await symlink('nowhere', join(root, 'broken'));
    await symlink(elsewhere, join(root, 'out'));
    await symlink(join(elsewhere, 'net', 'a.pt'), join(root, 'out.pt'));
    await symlink('loop', join(root, 'loop'));
    await symlink('nowhere', join(root, '.hidden'));
    const { places, leftOut } = await findPlaces(root, []);
    expect(places).toEqual([{ kind: 'folder', path: join(root, '.store', 'net') }]);
    expect(leftOut.map(({ path, kind }) => `${kind} ${path}`).sort()).toEqual([
      `dangling_link ${join(root, 'broken')}`,
      `dangling_link ${join(root, 'loop')}`,
      `outside ${join(root, 'out')}`,
      `outside ${join(root, 'out.pt')}`,
    ]);
  });

  it('fails for a folder that is not there, and tells an empty one', async () => {
    const root = await temporaryFolder();
    await expect(findPlaces(join(root, 'gone'), [])).rejects.toMatchObject({ code: 'storage' });
    expect(await findPlaces(root, [])).toMatchObject({ isEmpty: true, places: [], folders: [root] });
  });

  it('says which folders it could not read', async () => {
    const root = await temporaryFolder();
    await chmod(root, 0o755);
    await mkdir(join(root, 'closed'), { mode: 0 });
    // Root reads everything, so it looks as the user that owns nothing.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect((await findPlaces(root, [])).unreadable).toEqual([join(root, 'closed')]);
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(join(root, 'closed'), 0o755);
    }
  });
});

describe('the cache of a hub', () => {
  it('has the snapshots that a branch or tag refers to, under the name of the repository', async () => {
    const root = await temporaryFolder();
    const repository = await writeRepository(root, { main: NEW, 'pr/1': 'c'.repeat(40) });
    const { places } = await findPlaces(root, []);
    expect(places).toEqual([
      { kind: 'snapshot', path: join(repository, 'snapshots', NEW), group: repository, name: 'acme/tiny-llama' },
    ]);
    await writeFiles(repository, { 'refs/v1': OLD });
    expect((await findPlaces(root, [])).places.map(({ name }) => name)).toEqual([
      'acme/tiny-llama (v1)',
      'acme/tiny-llama',
    ]);
  });

  it('has every snapshot where nothing refers to one, and believes no ref that is none', async () => {
    const root = await temporaryFolder();
    await writeRepository(root, { main: '../../../etc', other: 'x'.repeat(5000) });
    expect(await placesIn(root)).toEqual([
      `snapshot models--acme--tiny-llama/snapshots/${OLD}`,
      `snapshot models--acme--tiny-llama/snapshots/${NEW}`,
    ]);
  });

  it('is found above and below its top folder, data sets are not', async () => {
    const root = await temporaryFolder();
    await writeRepository(join(root, 'hub'), { main: OLD }, [OLD]);
    await writeFiles(root, { 'hub/datasets--acme--data/snapshots/x/data.npz': '' });
    const place = `models--acme--tiny-llama/snapshots/${OLD}`;
    expect(await placesIn(root)).toEqual([`snapshot hub/${place}`]);
    expect(await placesIn(join(root, 'hub', 'models--acme--tiny-llama'))).toEqual([`snapshot snapshots/${OLD}`]);
  });
});

describe('looking at a place', () => {
  it('sees every write, new file and removal below it', async () => {
    const path = await writeNnRun(await temporaryFolder());
    const seen = new Set<string | undefined>();
    const look = async () => seen.add((await lookAt({ kind: 'run', path })).fingerprint);
    await look();
    await look();
    expect(seen.size).toBe(1);
    await writeFiles(path, { 'logs/events.out': 'x' });
    await look();
    await writeFile(join(path, 'best.ckpt'), 'longer than before, it is');
    await look();
    await unlink(join(path, 'logs/events.out'));
    await look();
    expect(seen.size).toBe(4);
  });

  it('tells of shards that are missing and of a place that is gone', async () => {
    const root = await writeFiles(await temporaryFolder(), { 'm-00001-of-00002.gguf': 'x' });
    expect(await lookAt({ kind: 'folder', path: root })).toMatchObject({ isPartial: true, hasWeights: true });
    await writeFiles(root, { 'm-00002-of-00002.gguf': 'x' });
    expect(await lookAt({ kind: 'folder', path: root })).toMatchObject({ isPartial: false });
    expect(await lookAt({ kind: 'folder', path: join(root, 'gone') })).toMatchObject({ fingerprint: undefined });
  });

  it('sees a download into a snapshot go on', async () => {
    const repository = await writeRepository(await temporaryFolder(), { main: OLD }, [OLD]);
    const place = { kind: 'snapshot', path: join(repository, 'snapshots', OLD), group: repository } as const;
    const before = await lookAt(place);
    await writeFiles(repository, { 'blobs/3.incomplete': 'x' });
    const during = await lookAt(place);
    await writeFiles(repository, { 'blobs/3.incomplete': 'xx' });
    expect(new Set([before, during, await lookAt(place)].map(({ fingerprint }) => fingerprint)).size).toBe(3);
  });
});
