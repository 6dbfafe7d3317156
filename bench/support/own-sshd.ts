import { constants } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, startCommand } from '../../test/support/command.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { Lab } from '../../test/support/lab.ts';
import { runBaseline } from './baseline.ts';

/** sshd starts itself again for each connection, so it asks for its whole path. */
const SSHD = '/usr/sbin/sshd';
const RSYNC = '/usr/bin/rsync';
/** A bound for a machine without entropy; it takes milliseconds. */
const KEY_LIMIT_MS = 60_000;
const PROGRAMS = [SSHD, '/usr/bin/scp', '/usr/bin/ssh-keygen'];
/** Where sshd of Debian drops its privileges when it runs as root; a service would have made it. */
const PRIVILEGE_FOLDER = '/run/sshd';

/** Copies a file of this machine to another place on it, through ssh. */
export type Copy = (from: string, to: string, signal: AbortSignal) => Promise<CommandResult>;

export interface OwnSshd {
  readonly scp: Copy;
  readonly rsync: Copy;
}

/** @returns what is missing on this machine, as a sentence; undefined when nothing is. */
export async function whyNoScp(): Promise<string | undefined> {
  return await whyNot('scp', PROGRAMS);
}

/** The same of rsync over ssh. */
export async function whyNoRsync(): Promise<string | undefined> {
  return await whyNot('rsync', [...PROGRAMS, RSYNC]);
}

async function whyNot(name: string, programs: readonly string[]): Promise<string | undefined> {
  for (const program of programs) {
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!isThere) return `${program} is not installed, so nothing is compared with ${name}.`;
  }
  return undefined;
}

/** An sshd of its own on loopback, with keys that are thrown away with the lab. */
export async function startSshd(lab: Lab): Promise<OwnSshd> {
  const folder = await lab.folder();
  const [hostKey, userKey, config] = ['host-key', 'user-key', 'config'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const key of [hostKey, userKey]) await makeKey(key);
  if (process.getuid?.() === 0) await mkdir(PRIVILEGE_FOLDER, { recursive: true });
  const port = await freePort();
  const lines = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${userKey}.pub`,
    'PidFile none',
    'PasswordAuthentication no',
    'PermitRootLogin prohibit-password',
    // The folder for temporary files is everybody's, which ordinarily is no place for keys.
    'StrictModes no',
    'Subsystem sftp internal-sftp',
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const server = startCommand([SSHD, '-D', '-e', '-f', config], { env: process.env });
  lab.onEnd(() => server.kill());
  await server.waitForStderr('Server listening');
  const options = ['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${folder}/known`];
  const source = `${userInfo().username}@127.0.0.1:`;
  const login = ['-F', 'none', '-i', userKey, ...options];
  const shell = ['/usr/bin/ssh', '-p', String(port), ...login].join(' ');
  return {
    scp: (from, to, signal) =>
      runBaseline(['/usr/bin/scp', '-q', '-P', String(port), ...login, `${source}${from}`, to], signal),
    // Nothing is there to compare with, so whole files, as a first copy is.
    rsync: (from, to, signal) => runBaseline([RSYNC, '--whole-file', '-e', shell, `${source}${from}`, to], signal),
  };
}

async function makeKey(path: string): Promise<void> {
  const command = ['/usr/bin/ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', path] as const;
  await runBaseline([...command], AbortSignal.timeout(KEY_LIMIT_MS));
}
