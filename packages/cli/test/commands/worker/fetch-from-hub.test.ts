import { describe, expect, it } from '@jest/globals';
import { silentLog } from '@model-rtc/protocol';
import { startHub } from '../../../../../test/support/hub/local-hub.ts';
import { SMALL_MODEL, smallModel } from '../../../../../test/support/hub/small-model.ts';
import { rejection } from '../../../../../test/support/rejection.ts';
import { openTestRegistry } from '../../../../../test/support/test-registry.ts';
import { fetchForClients } from '../../../src/commands/worker/fetch-from-hub.ts';
import type { Context } from '../../../src/console/context.ts';

describe('a model that a client has a worker fetch from a hub', () => {
  it.each([
    ['apache-2.0', /^org\/m has the license apache-2\.0, which was not accepted/],
    [undefined, /^org\/m names no license, and that was not accepted/],
  ])('is refused without its license %s accepted, with what to read and to pass', async (license, words) => {
    const [hub, registry] = [await startHub(), await openTestRegistry()];
    const { '.gitattributes': _, 'README.md': __, ...files } = smallModel();
    hub.addModel('org/m', { ...SMALL_MODEL, files, card: { license } });
    const context = { runtime: { env: hub.env }, home: registry.paths.root, log: silentLog } as unknown as Context;
    const fetch = fetchForClients(context, registry, false);
    const asked = { repo: 'org/m', revision: undefined, signal: new AbortController().signal };
    const { code, message } = await rejection(fetch({ ...asked, acceptLicense: false }));
    expect({ code, fetched: hub.askedFor('model.safetensors') }).toEqual({ code: 'refused', fetched: [] });
    expect(message).toMatch(words);
    expect(message).toContain(`Look at ${hub.url}/org/m, then pass --accept-license.`);
    expect((await fetch({ ...asked, acceptLicense: true })).hub?.repo).toBe('org/m');
  });
});
