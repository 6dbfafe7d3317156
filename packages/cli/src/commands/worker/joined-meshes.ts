import type { Mesh } from '@model-rtc/mesh';
import type { Context } from '../../console/context.ts';
import { consentRule } from '../../console/settings.ts';
import { packageVersion } from '../../package.ts';
import { nodeName } from '../mesh/options.ts';

/** How often it is looked whether this machine joined or left a mesh. */
const LOOK_MS = 3_000;

/** The meshes that this machine is in, opened once each. */
export class JoinedMeshes {
  readonly #context: Context;
  readonly #wanted: string | boolean | undefined;
  readonly #open = new Map<string, Promise<Mesh>>();
  /** Those that this machine left or opened anew. They are closed at the end: a request or a pull may still read them. */
  readonly #left: Promise<Mesh>[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** The cache and the consent with which they were opened. */
  #openedWith = '';

  constructor(context: Context, wanted: string | boolean | undefined) {
    this.#context = context;
    this.#wanted = wanted;
  }

  async now(): Promise<readonly Mesh[]> {
    const nowMs = performance.now();
    if (this.#wanted !== false && nowMs - this.#lookedAtMs > LOOK_MS) {
      this.#lookedAtMs = nowMs;
      await this.#look();
    }
    return await Promise.all(this.#open.values());
  }

  async close(): Promise<void> {
    const all = [...this.#left, ...this.#open.values()];
    this.#open.clear();
    for (const opened of await Promise.allSettled(all))
      if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]();
  }

  async #look(): Promise<void> {
    const { cacheIdentity, isMeshCalled, joinedMeshes, meshFolder, openMesh } = await import('@model-rtc/mesh');
    const { log } = this.#context;
    const rule = await consentRule(this.#context.home);
    const { root } = (await this.#context.registry()).paths;
    const agent = { name: await nodeName(this.#context), version: packageVersion() };
    const wanted = this.#wanted;
    const joined = (await joinedMeshes(root, log)).filter(
      ({ mesh }) => typeof wanted !== 'string' || isMeshCalled(mesh, wanted),
    );
    const ids = joined.map(({ mesh }) => mesh.id);
    // Somebody may remove the cache, or change the setting, while the worker runs.
    const openedWith = `${rule} ${await cacheIdentity(meshFolder(root))}`;
    const isAsBefore = openedWith === this.#openedWith;
    this.#openedWith = openedWith;
    for (const [id, mesh] of this.#open) {
      if (isAsBefore && ids.includes(id)) continue;
      this.#open.delete(id);
      this.#left.push(mesh);
    }
    for (const id of ids) {
      if (this.#open.has(id)) continue;
      const opened = openMesh({ root, name: id, agent, consentRule: rule, log });
      this.#open.set(id, opened);
      // Whoever asks now gets the reason; the next look tries again.
      opened.catch(() => this.#open.delete(id));
    }
  }
}
