import { describe } from '@jest/globals';
import { HubProvider, openHub } from '@model-rtc/hub';
import { ModelRtcError } from '@model-rtc/protocol';
import type { FetchedModel, ServeOptions, SourcePool } from '@model-rtc/transfer';
import { startHub } from '../../../../test/support/hub/local-hub.ts';
import { digestOf } from '../../../../test/support/registry-folder.ts';
import { HurriedClock, seededBytes } from '../support/lab.ts';
import { providerSuite } from '../support/provider-suite.ts';

const MEBI = 1024 * 1024;

/** A transfer finds out that a hub is gone when it asks for something. */
class WatchedProvider extends HubProvider {
  #pool: SourcePool | undefined;

  override async serve(model: FetchedModel, options: ServeOptions): Promise<ModelRtcError> {
    this.#pool = options.pool;
    return await super.serve(model, options);
  }

  async findOut(): Promise<void> {
    const extent = { path: 'weights.bin', offset: 0, length: 1 };
    const wanted = { index: 0, digest: undefined, size: 1, extents: () => [extent] };
    for (let pool = this.#pool; pool !== undefined && pool.sources.length > 0; ) {
      for (const source of pool.sources) {
        const asked = Promise.resolve(
          source.fetch([wanted], { signal: new AbortController().signal, onPiece: () => {} }),
        );
        await asked.catch((error) => pool.remove(source, ModelRtcError.from(error)));
      }
    }
  }
}

describe.each([
  ['hashes of large files', 1],
  ["git's hashes alone", Number.POSITIVE_INFINITY],
])('a hub with %s', (_name, largeBytes) => {
  providerSuite('it', async () => {
    const hub = await startHub();
    const bytes = seededBytes(6 * MEBI, 3);
    hub.addModel('lab/mouse', { files: { 'weights.bin': bytes }, largeBytes });
    const clock = new HurriedClock();
    const opened = openHub({ env: hub.env, clock });
    const model = await opened.model({ repo: 'lab/mouse' });
    const provider = new WatchedProvider({ hub: opened, model, clock });
    return {
      ...{ provider, ref: 'hf:lab/mouse', bytes, digest: digestOf({ 'weights.bin': bytes }) },
      hasDigestLater: largeBytes > 1,
      leave: async () => {
        await hub.close();
        await provider.findOut();
      },
      close: () => provider.close(),
    };
  });
});
