import { once } from 'node:events';
import { access, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parseRunner } from '@model-rtc/jobs';
import { afterTest } from '../../../../test/support/after-test.ts';
import { PYTHON, program } from '../../../../test/support/requirements.ts';
import { describeWith } from '../../../../test/support/suites.ts';
import { linesOf, openTestJobs } from '../support/open-test-jobs.ts';
import { processesWith } from '../support/processes-with.ts';
import { OWNER } from '../support/test-ports.ts';

/** The port of a server on this machine. */
async function listening(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describeWith([program('bwrap', 'bubblewrap')], 'a confined job', () => {
  it('writes to its own folder alone, reaches no network, and sees no keys', async () => {
    const test = await openTestJobs();
    await writeFile(join(test.root, 'secret'), 'key');
    const port = await listening();
    const source = `import os, socket, sys
def attempt(name, work):
  try: print(name, work())
  except Exception as e: print(name, type(e).__name__)
out, root, model = sys.argv[1], '${test.root}', sys.argv[2]
open(out, 'w').write('result'); open('scratch', 'w').write('x'); open('/tmp/t', 'w').write('x')
attempt('outside', lambda: open('/usr/evil', 'w'))
attempt('home', lambda: open(os.path.expanduser('~/evil'), 'w'))
attempt('model', lambda: open(model, 'a'))
attempt('read', lambda: open(model).read())
attempt('hidden', lambda: open(root + '/evil', 'w'))
attempt('secret', lambda: open(root + '/secret').read())
attempt('jobs', lambda: os.path.exists(os.path.dirname(os.path.dirname(out)) + '/job.json'))
attempt('network', lambda: socket.create_connection(('127.0.0.1', ${port}), 2))
attempt('processes', lambda: len([p for p in os.listdir('/proc') if p.isdigit()]) < 5)`;
    const args = [PYTHON, '-c', source, '{output}', '{checkpoint}'];
    await test.store.put(parseRunner({ name: 'confined', args, confine: true }));
    const job = await test.run();
    expect(await linesOf(test.jobs, job.id, 'stderr')).toEqual([]);
    expect(await linesOf(test.jobs, job.id)).toEqual([
      ...[
        'outside OSError',
        'home OSError',
        'model OSError',
        'read weights',
        'hidden OSError',
        'secret FileNotFoundError',
      ],
      ...['jobs False', 'network ConnectionRefusedError', 'processes True'],
    ]);
    expect(job).toMatchObject({ state: 'completed', results: { bytes: 6 } });
    await expect(access('/usr/evil')).rejects.toThrow();
  });

  it('is ended with all that it started, and has time to end by itself', async () => {
    const test = await openTestJobs();
    const source = `import signal, subprocess, sys, time
def end(*_): print('saved'); sys.exit(0)
signal.signal(signal.SIGTERM, end)
subprocess.Popen(['env', '-i', 'setsid', '--fork', sys.executable, '-c', 'import time; time.sleep(600) # ' + sys.argv[1]])
print('ready'); time.sleep(600)`;
    await test.declare('confined', source, { confine: true });
    const { job } = await test.jobs.submit(test.request());
    for await (const events of test.jobs.events(OWNER, job.id)) if (JSON.stringify(events).includes('ready')) break;
    await test.jobs.cancel(OWNER, job.id);
    expect(await test.ended(job.id)).toMatchObject({ state: 'cancelled' });
    expect(await linesOf(test.jobs, job.id)).toEqual(['ready', 'saved']);
    expect(await processesWith(job.id)).toEqual([]);
  });
});
