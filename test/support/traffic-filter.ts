import { execa } from 'execa';

/**
 * What is dropped, in both directions: all UDP (so all of WebRTC), its packets above so many bytes, a TCP port of either side, or
 * everything; or all from and to some addresses.
 */
export type Traffic =
  | 'udp'
  | { readonly udpAbove: number }
  | { readonly tcpPort: number }
  | { readonly addresses: readonly string[] }
  | 'everything';

/**
 * Drops traffic of a network namespace without a word to anyone, as a pulled cable or a firewall does. The loopback device
 * is left alone.
 */
export interface TrafficFilter {
  /** Drops this as well, from now on, of open connections too. */
  cut(traffic: Traffic): Promise<void>;
  /** Lets all of it through again. */
  heal(): Promise<void>;
}

const TABLE = 'inet model_rtc_test';

/** @param prefix what runs a command in the namespace */
export function createTrafficFilter(prefix: readonly [string, ...string[]]): TrafficFilter {
  const [file, ...before] = prefix;
  const load = async (rules: string) => void (await execa(file, [...before, 'nft', '-f', '-'], { input: rules }));
  const cuts: Traffic[] = [];
  return {
    cut: async (traffic) => {
      cuts.push(traffic);
      await load(ruleset(cuts));
    },
    heal: async () => {
      cuts.length = 0;
      await load(ruleset([]));
    },
  };
}

/** The whole table, put in place of what was there in one step. */
function ruleset(cuts: readonly Traffic[]): string {
  const drops = cuts.flatMap(matchesOf).map((match) => `${match} drop`);
  const chain = (hook: 'input' | 'output', loopback: string): string =>
    [
      `chain ${hook} {`,
      `type filter hook ${hook} priority 0; policy accept;`,
      `${loopback} "lo" accept`,
      ...drops,
      '}',
    ].join('\n');
  return [
    // Declared first, since what is not there cannot be deleted.
    `table ${TABLE} {}`,
    `delete table ${TABLE}`,
    `table ${TABLE} {`,
    chain('input', 'iifname'),
    chain('output', 'oifname'),
    '}\n',
  ].join('\n');
}

function matchesOf(traffic: Traffic): string[] {
  if (traffic === 'everything') return [''];
  if (traffic === 'udp') return ['meta l4proto udp'];
  if ('addresses' in traffic) {
    const set = `{ ${traffic.addresses.join(', ')} }`;
    return [`ip saddr ${set}`, `ip daddr ${set}`];
  }
  if ('udpAbove' in traffic) return [`meta l4proto udp meta length > ${traffic.udpAbove}`];
  return [`tcp sport ${traffic.tcpPort}`, `tcp dport ${traffic.tcpPort}`];
}
