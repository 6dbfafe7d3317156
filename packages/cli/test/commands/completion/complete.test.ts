import { describe, expect, it } from '@jest/globals';
import { COMMON_OPTIONS } from '../../../src/command-line/types.ts';
import { complete } from '../../../src/commands/completion/complete.ts';
import { loadCommands } from '../../../src/commands/index.ts';

const NAMES = {
  releases: ['lab/mouse'],
  'listed-releases': ['lab/mouse', 'lab/rat'],
  models: ['mouse', '4f1c22ab', 'lab/mouse@1'],
  'remote-models': ['rat'],
  aliases: ['mouse'],
  workers: ['lab', 'gpu'],
};

/** What is offered for the last word of a line; `:files` and `:folders` stand for paths. */
async function offered(line: string): Promise<string[]> {
  const { candidates, paths } = await complete(
    await loadCommands(),
    COMMON_OPTIONS,
    line.split(' '),
    async (kind, given) =>
      (kind.endsWith('release-versions') ? [`1 of ${given.at(-1)}`] : (NAMES[kind as keyof typeof NAMES] ?? [])).map(
        (value) => ({ value, describe: '' }),
      ),
  );
  return [...candidates.map(({ value }) => value), ...(paths === undefined ? [] : [`:${paths}`])];
}

describe('the completion of a command line', () => {
  it.each<[line: string, expected: string[]]>([
    ['cl', ['client']],
    ['worker ', ['start', 'list-models', 'runners', 'sessions', 'status']],
    ['client pull', ['pull-model']],
    ['client pull-model ', ['rat']],
    ['client push-model ', ['mouse', '4f1c22ab', 'lab/mouse@1']],
    ['client push-model lab/m', ['lab/mouse@1']],
    ['client push-model runs/m', [':files']],
    ['models pull lab/', ['lab/mouse', 'lab/rat']],
    ['models pull lab/rat ', ['1 of lab/rat']],
    ['models pull --force lab/rat ', ['1 of lab/rat']],
    ['models path lab/', ['lab/mouse']],
    ['models remove lab/mouse ', ['1 of lab/mouse']],
    ['models publish m', ['mouse']],
    ['models publish mouse lab/m 1 --to ', [':folders']],
    ['client push-model m', ['mouse']],
    ['client push-model ./m', [':files']],
    ['client push-model mouse --worker ', ['lab', 'gpu']],
    ['client push-model mouse --worker=l', ['--worker=lab']],
    ['client push-model mouse --worker @s', [':files']],
    ['client push-model mouse --lane r', ['relay']],
    ['client push-model mouse --la', ['--lane']],
    ['client push-model --lane relay m', ['mouse']],
    ['client push-model --nice m', ['mouse']],
    ['client push-model -- m', ['mouse']],
    ['client push-model -- --n', []],
    ['client compare-models mouse 4', ['4f1c22ab']],
    ['client compare-models --no', ['--no-tensors']],
    ['client untag-model ', ['mouse']],
    ['client update-model --add-tag lab m', ['mouse']],
    ['client sync --worker lab g', ['gpu']],
    ['client workers remove g', ['gpu']],
    ['client import-model ', [':files']],
    ['worker --watch ', [':folders']],
    ['worker --no-d', ['--no-direct']],
    [
      'settings get ',
      [
        ...[
          'limit.up',
          'limit.down',
          'limit.by-size',
          'storage.cap',
          'data-cache.size',
          'data-cache.session-size',
          'data-cache.age',
        ],
        ...['jobs.at-once', 'jobs.session-at-once', 'jobs.session-time', 'jobs.session-output', 'hub.architectures'],
        ...['hub.pushes', 'mesh.mdns', 'mesh.consent'],
      ],
    ],
    ['settings set limit.up ', []],
    ['completion ', ['bash', 'zsh']],
    ['client history mouse x', []],
  ])('%s', async (line, expected) => {
    expect(await offered(line)).toEqual(expected);
  });

  it('offers an option once, unless it may be given several times', async () => {
    expect(await offered('client pull-model a --nice --lane relay --worker lab --')).toEqual(
      expect.arrayContaining(['--worker', '--limit', '--json', '--help']),
    );
    expect(await offered('client pull-model a --nice --lane relay --worker lab --')).not.toEqual(
      expect.arrayContaining(['--nice']),
    );
    expect(await offered('client push-model a --worker lab --s')).not.toContain('--session');
  });
});
