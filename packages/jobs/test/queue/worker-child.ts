/** Opens the jobs of a data folder, submits one and waits: a worker that a test kills. Arguments: the folder, and a state to hang in. */
import { openJobs } from '@model-rtc/jobs';
import { makeModel, OWNER, testDataSets, testRequest, testResults } from '../support/test-ports.ts';

const [root = '', hangsIn = ''] = process.argv.slice(2);
const forever = new Promise<never>(() => undefined);

const jobs = await openJobs({
  ...{ root, env: process.env, presets: async () => [] },
  dataSets: { ...testDataSets, place: hangsIn === 'preparing' ? () => forever : testDataSets.place },
  results: hangsIn === 'finishing' ? { keep: () => forever } : testResults,
});
const data = [{ digest: '0'.repeat(64), name: 'clip.mp4', form: 'file' }] as never;
const { job } = await jobs.submit({ ...testRequest(await makeModel(root)), data });
const second = await jobs.submit({ ...testRequest(await makeModel(root)), data, again: 'aaaaaaaa' });
process.stdout.write(`jobs ${job.id} ${second.job.id}\n`);
for await (const events of jobs.events(OWNER, job.id)) process.stdout.write(`${JSON.stringify(events)}\n`);
// A timer keeps the process while nothing else happens.
setInterval(() => undefined, 1_000);
