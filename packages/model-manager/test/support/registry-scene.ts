import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileServer, serveFolder } from '../../../../test/support/file-server.ts';
import { publish, temporaryFolder } from '../../../../test/support/registry-folder.ts';
import { ModelManager, type ModelManagerConfig } from '../../src/index.ts';

const MEBI = 1024 * 1024;
export const TINY: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"model_type":"whisper"}'),
  'model.bin': Buffer.alloc(3 * MEBI + 5, 'tiny weights '),
  empty: Buffer.alloc(0),
};
export const LARGER: Readonly<Record<string, Buffer>> = {
  ...TINY,
  'model.bin': Buffer.concat([TINY['model.bin'] as Buffer, Buffer.alloc(MEBI, 'more ')]),
};

export interface RegistryScene {
  readonly folder: string;
  readonly server: FileServer;
  /** Adds or replaces a version. */
  publish(names: readonly [string, string, string], files?: Readonly<Record<string, Buffer>>): Promise<void>;
  /** Points an alias of `fast-whisper/tiny` to a version. */
  alias(alias: string, version: string): Promise<void>;
  changeList(change: (list: Record<string, unknown>) => void): Promise<void>;
  manager(home?: string, config?: Partial<ModelManagerConfig>): Promise<ModelManager>;
}

/** A real registry over HTTP with `fast-whisper/tiny` as `fp16`, and managers that use it. */
export async function registryScene(): Promise<RegistryScene> {
  const folder = await temporaryFolder();
  const server = await serveFolder(folder);
  const changeList: RegistryScene['changeList'] = async (change) => {
    const path = join(folder, 'models.json');
    const list = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    change(list);
    await writeFile(path, JSON.stringify(list));
  };
  const scene: RegistryScene = {
    folder,
    server,
    async publish(names, files = TINY) {
      await publish(folder, names, files, { chunkBytes: MEBI, metadata: { license: 'MIT', description: 'Small' } });
    },
    alias: (alias, version) =>
      changeList((list) => {
        (list['fast-whisper'] as { tiny: Record<string, object> }).tiny[alias] = { alias: version };
      }),
    changeList,
    manager: async (home, config = {}) => {
      const dataDir = home ?? join(await temporaryFolder(), 'mytool');
      return new ModelManager({ appName: 'mytool', registryUrl: server.url, dataDir, env: {}, ...config });
    },
  };
  await scene.publish(['fast-whisper', 'tiny', 'fp16']);
  return scene;
}
