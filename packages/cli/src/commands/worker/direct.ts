import { ModelRtcError } from '@model-rtc/protocol';
import type { DirectAddress } from '@model-rtc/transport';
import type { DirectOptions } from '@model-rtc/worker';

interface DirectFlags {
  readonly direct: boolean;
  /** As it was typed. */
  readonly directPort?: string | undefined;
  /** Each as HOST:PORT; an IPv6 address in brackets. */
  readonly advertise: readonly string[];
}

const MAX_PORT = 65_535;

/** @throws ModelRtcError `bad_argument` for an invalid address or port. */
export function directOptions({ direct, directPort, advertise }: DirectFlags): DirectOptions | false {
  if (!direct) {
    if (directPort === undefined && advertise.length === 0) return false;
    throw new ModelRtcError(
      'bad_argument',
      '--no-direct cannot be combined with --direct-port or --advertise. Remove one of them.',
    );
  }
  const port = directPort === undefined ? undefined : parsePort(directPort);
  return { port, advertise: advertise.length === 0 ? undefined : advertise.map(parseAddress) };
}

/** 0 is any port that is free. */
function parsePort(text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && (Number(text) === 0 || isPort(Number(text)))) return Number(text);
  throw new ModelRtcError(
    'bad_argument',
    `--direct-port takes a number from 1 to ${MAX_PORT}, or 0 for any that is free, not "${text}".`,
  );
}

function parseAddress(text: string): DirectAddress {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]{1,253})):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && isPort(Number(port))) return { host, port: Number(port) };
  throw new ModelRtcError(
    'bad_argument',
    `--advertise takes HOST:PORT, such as gpu.lab.example:7000 or [2001:db8::1]:7000, not "${text}".`,
  );
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_PORT;
}
