import { chmodSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import joinSources from './joined/join-sources.js';

const MEMORY = '/dev/shm';
/** The tests need a few hundred MB at once. */
const LEAST_BYTES = 4 * 1024 ** 3;

/** What happens before the unit tests: jest's `globalSetup`. */
async function startUnitTests() {
  keepFilesInMemory();
  await joinSources();
}

/** Temporary folders in memory save the waits for the disk. In `.ci/run`, which sets CI, the tests run on the real one. */
function keepFilesInMemory() {
  if (process.env.CI !== undefined || process.env.TMPDIR !== undefined || !hasRoom()) return;
  const folder = mkdtempSync(join(MEMORY, 'model-rtc-tests-'));
  // As /tmp is: some tests become another user.
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}

function hasRoom() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= LEAST_BYTES;
  } catch {
    return false;
  }
}

// biome-ignore lint/style/noDefaultExport: it is how jest finds it
export default startUnitTests;
