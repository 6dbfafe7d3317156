import { constants } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, runCommand, startCommand } from '../../test/support/command.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { Lab } from '../../test/support/lab.ts';

/** sshd starts itself again for each connection, so it asks for its whole path. */
const SSHD = '/usr/sbin/sshd';
const PROGRAMS = [SSHD, '/usr/bin/scp', '/usr/bin/ssh-keygen'];
/** Where sshd of Debian drops its privileges when it runs as root; a service would have made it. */
const PRIVILEGE_FOLDER = '/run/sshd';

/** Copies a file of this machine to another place on it, through ssh. */
export type Scp = (from: string, to: string) => Promise<CommandResult>;

/** @returns what is missing on this machine, as a sentence; undefined when nothing is. */
export async function whyNoScp(): Promise<string | undefined> {
  for (const program of PROGRAMS) {
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!isThere) return `${program} is not installed, so nothing is compared with scp.`;
  }
  return undefined;
}

/** An sshd of its own on loopback, with keys that are thrown away with the lab. */
export async function startSshd(lab: Lab): Promise<Scp> {
  const folder = await lab.folder();
  const [hostKey, userKey, config] = ['host-key', 'user-key', 'config'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const key of [hostKey, userKey]) await run('/usr/bin/ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key);
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
  return (from, to) =>
    run('/usr/bin/scp', '-q', '-F', 'none', '-i', userKey, '-P', String(port), ...options, `${source}${from}`, to);
}

async function run(program: string, ...args: string[]): Promise<CommandResult> {
  const result = await runCommand([program, ...args], { env: process.env });
  if (result.exitCode !== 0) throw new Error(`${program} ended with ${result.exitCode}: ${result.stderr}`);
  return result;
}
