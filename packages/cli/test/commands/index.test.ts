import { describe, expect, it } from '@jest/globals';
import { type CommandGroup, isGroup, nameOf } from '../../src/command-line/types.ts';
import { loadCommands } from '../../src/commands/index.ts';

function pathsOf(group: CommandGroup, above = ''): string[] {
  return group.commands.flatMap((command) => {
    const path = `${above}${nameOf(command)}`;
    return isGroup(command) ? pathsOf(command, `${path} `) : [path];
  });
}

describe('the commands that are loaded', () => {
  it('are all of them without arguments, and only the one that the arguments name', async () => {
    const all = pathsOf(await loadCommands());
    expect(all).toContain('client pull-model');
    for (const path of all) {
      const loaded = pathsOf(await loadCommands([...path.split(' '), 'mouse', '--json']));
      expect(loaded).toContain(path);
      // Small groups are loaded as a whole.
      expect(loaded.length).toBeLessThan(16);
      if (/^(client|worker) [a-z-]+$/.test(path)) expect(loaded).toEqual([path]);
    }
  });

  it('are all of a group where no command is named, or an option comes first', async () => {
    const all = pathsOf(await loadCommands());
    const client = all.filter((path) => path.startsWith('client '));
    expect(pathsOf(await loadCommands(['client', '--help']))).toEqual(client);
    expect(pathsOf(await loadCommands(['client', 'pul-model', 'a']))).toEqual(client);
    expect(pathsOf(await loadCommands(['worker', '--name', 'status']))).toContain('worker start');
    expect(pathsOf(await loadCommands(['--json', 'client', 'list-models']))).toEqual(all);
  });
});
