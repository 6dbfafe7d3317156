import { mkdir, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { dirname, join } from 'node:path';
import type { Alias, Digest, ModelEntry } from '@model-rtc/protocol';
import { type Registry, type RegistryEntry, toModelEntry } from '@model-rtc/registry';
import { receiveModel } from '@model-rtc/transfer';
import { afterTest } from '../../../test/support/after-test.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { openTestRegistry } from '../../../test/support/test-registry.ts';
import {
  type BridgeOptions,
  type RemoteModel,
  type RemoteModels,
  type RunningBridge,
  startBridge,
} from '../src/index.ts';

export { afterTest, openTestRegistry, temporaryFolder };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  json(): never;
}

/** A request as it is written, without what `fetch` would make of it. */
export async function ask(
  url: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port, pathname, search } = new URL(url);
  const path = url.slice(url.indexOf(`:${port}`) + port.length + 1) || `${pathname}${search}`;
  return await new Promise((resolve, reject) => {
    const asking = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(pieces);
        const json = () => JSON.parse(bytes.toString('utf8')) as never;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes, json });
      });
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

/** Imports files as a model. */
export async function addModel(
  registry: Registry,
  files: Readonly<Record<string, Buffer | string>>,
  alias?: string,
): Promise<RegistryEntry & { readonly digest: Digest }> {
  const folder = await temporaryFolder();
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  const [only] = Object.keys(files);
  const path = Object.keys(files).length === 1 ? join(folder, only as string) : folder;
  const { entry } = await registry.importModel(path, { copy: true, alias: alias as Alias | undefined, asIs: true });
  return entry as RegistryEntry & { readonly digest: Digest };
}

export async function bridgeOf(
  options: Omit<BridgeOptions, 'port' | 'registry'> & { registry?: Registry } = {},
): Promise<{ readonly registry: Registry; readonly bridge: RunningBridge }> {
  const registry = options.registry ?? (await openTestRegistry());
  const bridge = await startBridge({ ...options, registry, port: 0 });
  afterTest(() => bridge.close());
  return { registry, bridge };
}

/** Puts a model into a registry as a transfer does, with what its sender says of it. `gate` is awaited before each chunk. */
export async function receiveInto(
  registry: Registry,
  { from, model, entry = {}, gate = async () => {}, signal }: Reception,
): Promise<void> {
  const manifest = await from.manifest(model.digest);
  await using reader = await from.openModel(model.digest);
  await receiveModel({
    ...{ registry, ifExists: 'skip', source: 'worker-pull', signal: signal ?? new AbortController().signal },
    entry: { ...toModelEntry(model), ...entry },
    contents: { ...manifest, digest: model.digest },
    sources: [
      {
        name: 'source',
        async fetch(chunks, { onPiece }) {
          for (const { index, digest } of chunks) {
            await gate(index);
            onPiece(index, 0, await reader.readChunk(digest as Digest), true);
          }
        },
      },
    ],
  });
}

export interface Reception {
  readonly from: Registry;
  readonly model: RegistryEntry & { readonly digest: Digest };
  readonly entry?: Partial<ModelEntry>;
  readonly gate?: (chunk: number) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** The models of another registry, as a mesh shows them. `pulls` counts what was fetched. */
export function remoteOf(from: Registry, to: Registry, more: Partial<Pick<Reception, 'gate' | 'entry'>> = {}) {
  const described = ({ id, digest, alias, name, modelType, size, source, hub }: RegistryEntry): RemoteModel => ({
    ...{ digest: digest as Digest, modelId: id, alias, name, type: modelType, sizeBytes: size, source },
    ...{ capabilities: [], tags: [], sourceRef: hub === undefined ? undefined : `hf:${hub.repo}@${hub.commit}` },
  });
  const pulls: Digest[] = [];
  const remote: RemoteModels = {
    nodes: async () => [],
    list: async () => (await from.list({ filters: {}, sort: 'date', limit: 200 })).models.map(described),
    find: async (ref) =>
      await from.resolve(ref, { paths: false }).then(
        ({ entry }) => described(entry),
        () => undefined,
      ),
    manifest: async (digest) => await from.manifest(digest),
    async pull(digest, { signal }) {
      pulls.push(digest);
      const model = (await from.find(digest)) as RegistryEntry & { readonly digest: Digest };
      await receiveInto(to, { from, model, signal, ...more });
    },
  };
  return { remote, pulls };
}
