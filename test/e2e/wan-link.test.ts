import { expect, it } from '@jest/globals';
import { execa } from 'execa';
import { runCommand, startCommand } from '../support/command.ts';
import { deleteLeftoverNamespaces } from '../support/namespaces.ts';
import { program } from '../support/requirements.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { openWan, WAN_REQUIREMENTS, type Wan, type WanEnd } from '../support/wan.ts';

const lab = useLab();
const ENVIRONMENT = { env: process.env };

interface IperfJson {
  readonly end: {
    readonly sum_received: { readonly bits_per_second: number };
    readonly streams: readonly { readonly sender: { readonly min_rtt: number; readonly retransmits: number } }[];
  };
}

/** Listens at the right end, in a process that ends with the lab. */
async function listen(end: WanEnd, port: number): Promise<void> {
  const script = `net.createServer().listen(${port}, '${end.address}', () => console.log('listening'))`;
  const server = startCommand([...end.prefix, process.execPath, '-e', script], ENVIRONMENT);
  lab.onEnd(() => server.kill('SIGKILL'));
  await server.waitForStdout('listening');
}

/** Whether the left end reaches a port of the right one, within a second. */
async function reaches({ left, right }: Wan, port: number): Promise<boolean> {
  const connect = `net.connect(${port}, '${right.address}').on('connect', () => process.exit(0))`;
  const script = `${connect}; setTimeout(() => process.exit(1), 1000)`;
  const command = [...left.prefix, process.execPath, '-e', script] as const;
  return (await runCommand(command, ENVIRONMENT)).exitCode === 0;
}

describeWith(WAN_REQUIREMENTS, 'a WAN', () => {
  describeWith([program('iperf3', 'iperf3')], 'its link', () => {
    it('is no faster than its rate, no shorter than its delay, and loses what it is told to', async () => {
      const { left, right } = await openWan(lab, { delayMs: 20, lossPercent: 1, rateMbit: 20 });
      const server = startCommand([...right.prefix, 'iperf3', '-s', '-1', '--forceflush'], ENVIRONMENT);
      lab.onEnd(() => server.kill('SIGKILL'));
      await server.waitForStdout('Server listening');
      const client = ['iperf3', '-c', right.address, '-t', '2', '-P', '4', '-J'];
      const { end } = (await runCommand([...left.prefix, ...client], ENVIRONMENT)).json<IperfJson>();
      expect(end.sum_received.bits_per_second).toBeLessThan(20e6 * 1.05);
      expect(Math.min(...end.streams.map(({ sender }) => sender.min_rtt))).toBeGreaterThanOrEqual(40_000);
      expect(end.streams.reduce((sum, { sender }) => sum + sender.retransmits, 0)).toBeGreaterThan(0);
    });
  });

  it('can be cut by port and altogether, and heals', async () => {
    const wan = await openWan(lab);
    await Promise.all([listen(wan.right, 1), listen(wan.right, 2)]);
    const both = () => Promise.all([reaches(wan, 1), reaches(wan, 2)]);
    expect(await both()).toEqual([true, true]);
    await wan.left.filter.cut({ tcpPort: 1 });
    expect(await both()).toEqual([false, true]);
    await wan.left.filter.cut('everything');
    expect(await both()).toEqual([false, false]);
    await wan.left.filter.heal();
    expect(await both()).toEqual([true, true]);
  });

  it('may be open beside others with the same addresses', async () => {
    const [one, other] = [await openWan(lab), await openWan(lab)];
    await listen(one.right, 1);
    expect(await Promise.all([reaches(one, 1), reaches(other, 1)])).toEqual([true, false]);
  });

  it('leaves nothing when its lab ends', async () => {
    const { left, right } = await openWan(lab);
    const own = [left, right].map(({ prefix }) => prefix.at(-1) as string);
    expect(await namespaces()).toEqual(expect.arrayContaining(own));
    await lab[Symbol.asyncDispose]();
    const remaining = new Set(await namespaces());
    expect(own.filter((name) => remaining.has(name))).toEqual([]);
  });

  it('removes what killed tests left, and nothing of those that run', async () => {
    // The id of a process that lives, but was not started then.
    const leftover = `mrtc-${process.pid}-1-1`;
    await execa('ip', ['netns', 'add', leftover]);
    const { left } = await openWan(lab);
    await deleteLeftoverNamespaces();
    const names = await namespaces();
    expect(names).not.toContain(leftover);
    expect(names).toContain(left.prefix.at(-1));
  });
});

async function namespaces(): Promise<string[]> {
  const { stdout } = await execa('ip', ['-json', 'netns', 'list']);
  return stdout === '' ? [] : (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
}
