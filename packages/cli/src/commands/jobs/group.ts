import type { CommandGroup } from '../../command-line/types.ts';
import { cancelJob } from './cancel.ts';
import { fetchJob } from './fetch.ts';
import { listJobs } from './list.ts';
import { jobLogs } from './logs.ts';
import { showJob } from './show.ts';

/** The jobs of a session at its worker. */
export const jobs: CommandGroup = {
  name: 'jobs',
  describe: "See, end and collect a session's jobs at a worker",
  commands: [listJobs, showJob, jobLogs, cancelJob, fetchJob],
  examples: [['$0 jobs list --worker lab', 'what this session has run there']],
};
