import { readdir, rm } from 'node:fs/promises';

// `tsc -b --clean` removes what the sources of today would give; files of renamed sources stay and would be packed.
for (const name of await readdir('packages')) {
  for (const built of ['dist', 'bin']) await rm(`packages/${name}/${built}`, { recursive: true, force: true });
}
