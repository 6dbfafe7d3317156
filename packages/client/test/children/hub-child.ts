/** Takes a model from a hub into a registry, in a process that can be killed. Says `done` with what came. */
import { HubProvider, openHub } from '@model-rtc/hub';
import { silentLog, systemClock } from '@model-rtc/protocol';
import { openRegistry } from '@model-rtc/registry';
import { pullFromProviders } from '../../src/index.ts';

const [home = '', endpoint = ''] = process.argv.slice(2);
const registry = await openRegistry({ home });
const hub = openHub({ env: { HF_ENDPOINT: endpoint } });
const provider = new HubProvider({ hub, model: await hub.model({ repo: 'lab/mouse' }), connections: 1 });
const context = { registry, log: silentLog, clock: systemClock, random: Math.random, limits: {} };
const pulled = await pullFromProviders(context, [provider], provider.ref, { isName: true });
const { entry, transferredBytes, resumedBytes } = pulled;
process.stdout.write(`done ${JSON.stringify({ digest: entry.digest, transferredBytes, resumedBytes })}\n`);
await registry.close();
