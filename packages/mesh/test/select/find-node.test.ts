import { describe, expect, it } from '@jest/globals';
import { findNode } from '../../src/select/find-node.ts';

const node = (name: string, letter: string, isPresent = true) => ({
  ...{ name, key: letter.repeat(64), isPresent, isSelf: false },
});
const [ANNA, NAS] = [node('anna', 'a'), node('nas-dddddddd', 'd')];
/** As nodes of one name are shown. */
const TWINS = [node('gpu-bbbbbbbb', 'b'), node('gpu-cccccccc', 'c', false)] as const;
const ALL = [ANNA, ...TWINS, NAS];

describe('the node that a person names', () => {
  it('is the one of this name, or whose key begins so', () => {
    expect(findNode(ALL, 'anna', 'lab')).toBe(ANNA);
    expect(findNode(ALL, 'gpu-cccccccc', 'lab')).toBe(TWINS[1]);
    expect(findNode(ALL, 'BBBBBB', 'lab')).toBe(TWINS[0]);
  });

  it('is asked for where several share the name, even if only one of them is there', () => {
    expect(() => findNode(ALL, 'gpu', 'lab')).toThrow(
      expect.objectContaining({
        code: 'ambiguous',
        message: expect.stringMatching(/names 2 nodes .*bbbbbbbbbbbb, cccccccccccc \(absent\)/),
      }),
    );
  });

  it('is none for a part of a name that looks like one that is shared, and for a short start of a key', () => {
    for (const ref of ['nas', 'aaaaa', '', 'Anna'])
      expect(() => findNode(ALL, ref, 'lab')).toThrow(expect.objectContaining({ code: 'not_found' }));
    expect(() => findNode([{ ...ANNA, isSelf: true }], 'x', 'lab')).toThrow('Nobody else is known there');
  });
});
