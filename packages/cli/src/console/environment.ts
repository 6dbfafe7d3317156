import { ModelRtcError } from '@model-rtc/protocol';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment variables that commands read; docs/cli.md is generated from it. Of several names for one thing the first that is set counts: ours come before those that
 * other tools of a mesh know.
 */
export const ENVIRONMENT = {
  home: {
    names: ['MODEL_RTC_HOME'],
    describe: "The data folder of this machine [the platform's folder for application data]",
  },
  session: {
    names: ['MODEL_RTC_SESSION'],
    describe: 'The session when no option names one: a token, a saved name, or `@FILE`',
  },
  iceServers: {
    names: ['MODEL_RTC_ICE_SERVERS'],
    describe: 'STUN and TURN servers when `--ice-server` is not given, separated by spaces or commas',
  },
  nodeName: {
    names: ['MODEL_RTC_NODE_NAME', 'ATMOSPHERE_NODE_NAME'],
    describe:
      "This machine's name in its meshes, and its worker's when `--name` is not given [the one with which it joined; the machine's]",
  },
  nodeId: {
    names: ['MODEL_RTC_NODE_ID', 'ATMOSPHERE_NODE_ID'],
    describe:
      'What other tools call this machine. A worker announces it as the property `node_id`; the key alone proves who it is',
  },
  httpPort: {
    names: ['MODEL_RTC_HTTP_PORT', 'MODEL_BRIDGE_HTTP_PORT'],
    describe: "The port of a worker's HTTP bridge when `--http-port` is not given [off]",
  },
  gossipInterval: {
    names: ['MODEL_RTC_GOSSIP_INTERVAL', 'MODEL_BRIDGE_GOSSIP_INTERVAL'],
    describe: 'Seconds between two announcements of a worker in its meshes, 5 to 300 [300]',
  },
} as const satisfies Readonly<Record<string, { readonly names: readonly string[]; readonly describe: string }>>;

/** The names of a variable, for the help of the option that comes before it. */
export function variableNames(what: keyof typeof ENVIRONMENT): string {
  return ENVIRONMENT[what].names.join(', ');
}

/** The variable that is set, if one is. An empty one counts as not set. */
export function fromEnvironment(
  env: Environment,
  what: keyof typeof ENVIRONMENT,
): { readonly name: string; readonly text: string } | undefined {
  for (const name of ENVIRONMENT[what].names) {
    const text = env[name];
    if (text !== undefined && text !== '') return { name, text };
  }
  return undefined;
}

/** A catalog counts for 300 seconds: who says less often that it is there would be taken for absent. */
const GOSSIP_SECONDS = { least: 5, most: 300 };

/** @returns milliseconds. @throws ModelRtcError `bad_argument` */
export function gossipInterval(env: Environment): number | undefined {
  const given = fromEnvironment(env, 'gossipInterval');
  if (given === undefined) return undefined;
  const { least, most } = GOSSIP_SECONDS;
  const seconds = /^\d{1,5}(\.\d{1,3})?$/.test(given.text) ? Number(given.text) : Number.NaN;
  if (seconds >= least && seconds <= most) return seconds * 1000;
  throw badVariable(given, `must be a number of seconds from ${least} to ${most}`);
}

/** The name that members of a mesh see, where one is set. @throws ModelRtcError `bad_argument` */
export async function nodeNameIn(env: Environment): Promise<string | undefined> {
  const given = fromEnvironment(env, 'nodeName');
  if (given === undefined) return undefined;
  const { isNodeName, suggestNodeName } = await import('@model-rtc/mesh');
  if (isNodeName(given.text)) return given.text;
  throw badVariable(given, `must be a name such as ${suggestNodeName(given.text)}`);
}

/** @throws ModelRtcError `bad_argument` */
export function nodeId(env: Environment): string | undefined {
  const given = fromEnvironment(env, 'nodeId');
  if (given === undefined) return undefined;
  if (/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(given.text)) return given.text;
  throw badVariable(given, 'must have 1 to 128 of A-Z, a-z, 0-9, ".", "_", ":" and "-"');
}

function badVariable({ name, text }: { readonly name: string; readonly text: string }, what: string): ModelRtcError {
  const shown = JSON.stringify(text.slice(0, 80));
  return new ModelRtcError(
    'bad_argument',
    `The environment variable ${name} ${what}, not ${shown}. Change or unset it.`,
  );
}
