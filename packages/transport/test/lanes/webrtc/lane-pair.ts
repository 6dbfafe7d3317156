import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { ExchangeMessage } from '@model-rtc/protocol';
import type { WebRtcEngine } from '../../../src/lanes/webrtc/engine.ts';
import type { LaneStage } from '../../support/lane-conformance.ts';
import type { Order, Report } from './lane-process.ts';

export type Side = 'left' | 'right';
const SIDES = ['left', 'right'] as const;

/** What a test does to the exchange on its way; undefined loses the message. */
export type Tamper = (message: ExchangeMessage, from: Side) => ExchangeMessage | undefined;

export interface OpenOptions {
  readonly timeoutMs?: number;
  readonly tamper?: Tamper;
  /** What the left side asks for, in bytes. */
  readonly mtu?: number;
}

export interface LanePair extends LaneStage {
  /** Opens a fresh lane between the two processes. Rejects with the `code` of the error of either side. */
  open(options?: OpenOptions): Promise<void>;
  /** Opens a lane and plays one of the scenarios on it. */
  play(scenario: string, options?: OpenOptions): Promise<void>;
  order(side: Side, order: Order): Promise<void>;
  kill(side: Side): Promise<void>;
}

/**
 * Two processes, one for each side: inside jest's own workers the native engine is unreliable. What they say to each
 * other to connect passes through here.
 */
export function startLanePair(leftEngine: WebRtcEngine['name'], rightEngine: WebRtcEngine['name']): LanePair {
  const processes = { left: startSide(leftEngine), right: startSide(rightEngine) };
  let tamper: Tamper = (message) => message;
  let lanes = 0;
  for (const side of SIDES) {
    processes[side].on('message', (report: Report) => {
      const other = processes[side === 'left' ? 'right' : 'left'];
      if (report.kind === 'tell') send(other, { kind: 'told', event: report.event });
      if (report.kind !== 'exchange') return;
      const message = tamper(report.message, side);
      if (message !== undefined) send(other, { kind: 'exchange', message });
    });
  }
  const both = async (make: (side: Side) => Order) => {
    const results = await Promise.allSettled(SIDES.map((side) => obeyed(processes[side], make(side))));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  const pair: LanePair = {
    async open({ timeoutMs = 20_000, tamper: change = (message: ExchangeMessage) => message, mtu } = {}) {
      tamper = change;
      lanes++;
      await both(() => ({ kind: 'prepare' }));
      await both((side) => ({ kind: 'open', side, lane: lanes, timeoutMs, mtu }));
    },
    async play(scenario, options) {
      await pair.open(options);
      await both((side) => ({ kind: 'play', scenario, side }));
    },
    order: (side, order) => obeyed(processes[side], order),
    async kill(side) {
      processes[side].kill('SIGKILL');
      await once(processes[side], 'exit');
    },
    async close() {
      const ends = await Promise.all(SIDES.map((side) => ended(processes[side])));
      for (const end of ends) if (end !== 0 && end !== 'SIGKILL') throw new Error(`a process ended with ${end}`);
    },
  };
  return pair;
}

function startSide(engine: WebRtcEngine['name']): ChildProcess {
  return fork(new URL('./lane-process.ts', import.meta.url), [engine], {
    execArgv: ['--import', 'tsx', '--conditions=@model-rtc/source', '--no-warnings'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

/** A process that was let go of has to end by itself; the test's own time limit is the only other end. */
async function ended(child: ChildProcess): Promise<number | string | null> {
  if (child.connected) child.disconnect();
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}

function send(child: ChildProcess, order: Order): void {
  if (child.connected) child.send(order);
}

function obeyed(child: ChildProcess, order: Order): Promise<void> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the process ended with ${code} instead of doing it`));
    const onReport = (report: Report) => {
      if (report.kind !== 'done') return;
      child.off('message', onReport);
      child.off('exit', onExit);
      if (report.error === undefined) resolve();
      else reject(Object.assign(new Error(report.error), { code: report.code }));
    };
    child.on('message', onReport);
    child.on('exit', onExit);
    send(child, order);
  });
}
