import { expect, it } from '@jest/globals';
import { followedText, leftOutText } from '../../../../src/commands/client/import-model/left-out.ts';

it('tells what was left out, a line for each reason, the largest first', () => {
  const text = leftOutText([
    { path: 'run.sh', reason: 'a script', bytes: 10 },
    { path: 'wandb', reason: 'training logs', bytes: 2_000_000, files: 12 },
    { path: 'a', reason: 'an empty folder' },
    ...['1', '2', '3', '4'].map((path) => ({ path, reason: 'a log', bytes: 100 })),
  ]);
  expect(text.split('\n')).toEqual([
    'Left out (2 MB). To take some of it all the same, pass --include:',
    '  training logs: wandb (12 files, 2 MB)',
    '  a log: 1, 2, 3 and 1 more (400 B)',
    '  a script: run.sh (10 B)',
    '  an empty folder: a',
  ]);
});

it('says where it did not count, and stops after a few reasons', () => {
  const many = Array.from({ length: 9 }, (_, i) => ({ path: `${i}`, reason: `reason ${i}`, bytes: 9 - i }));
  const text = leftOutText([...many, { path: 'cache', reason: 'a cache' }]);
  expect(text).toMatch(/^Left out \(more than 45 B\)/);
  expect(text).toMatch(/and 2 more reasons: see --json$/);
  expect(leftOutText([{ path: 'cache', reason: 'a cache' }])).toMatch(/a cache: cache \(not counted\)$/);
});

it('says nothing of nothing, and shows no control characters', () => {
  expect(leftOutText([])).toBe('');
  expect(followedText([])).toBe('');
  expect(followedText([{ path: 'a\u001b', target: '/etc/passwd' }])).toBe('Followed 1 link: a\ufffd (to /etc/passwd)');
});
