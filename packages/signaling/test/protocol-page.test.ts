import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_LIMITS, MAX_CONNECTIONS_PER_WORKER, MAX_FRAME_BYTES } from '../src/limits.ts';
import { clientMessageSchema, SERVER_ERRORS, serverMessageSchema } from '../src/messages.ts';

const page = await readFile(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
const section = page.slice(page.indexOf('\n## Signaling\n'), page.indexOf('\n## The sealed exchange\n'));
const types = [...clientMessageSchema.options, ...serverMessageSchema.options].map((option) => option.shape.type.value);

describe('docs/protocol.md', () => {
  it.each([...new Set(types), ...SERVER_ERRORS])('has a row for "%s"', (word) => {
    expect(section).toMatch(new RegExp(`^\\| \`${word}\``, 'm'));
  });

  it.each([
    ['connections of a server', DEFAULT_LIMITS.maxConnections],
    ['connections from one IPv4 address', DEFAULT_LIMITS.maxConnectionsPerIp],
    ['connections of one worker', MAX_CONNECTIONS_PER_WORKER],
    ['visitors of one room', DEFAULT_LIMITS.maxVisitorsPerRoom],
    ['messages a second', DEFAULT_LIMITS.messagesPerSecond],
    ['bytes a second', DEFAULT_LIMITS.bytesPerSecond / 1024],
    ['bytes that wait', DEFAULT_LIMITS.maxBufferedBytes / 1024 / 1024],
    ['time for the HTTP request', DEFAULT_LIMITS.requestMs / 1000],
    ['time to `register` or `visit`', DEFAULT_LIMITS.unauthenticatedMs / 1000],
  ])('has the limit of %s', (what, value) => {
    const row = section.split('\n').find((line) => line.startsWith(`| ${what}`)) ?? '';
    expect(row.split('|')[2]).toMatch(new RegExp(`^ ${value}\\b`));
  });

  it('has the length of a frame', () => {
    expect(section).toContain(`${MAX_FRAME_BYTES.toLocaleString('en-US')} bytes`);
  });
});
