import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { hexToBytes } from '@noble/hashes/utils.js';
import { unpackBeats } from '../src/core/beats/beat.ts';
import { CatalogBook } from '../src/core/catalog/catalog-book.ts';
import { decodeRecord, Membership, parseInvite } from '../src/core/index.ts';
import { MESH_ID, START_MS } from './support/people.ts';
import { buildMeshVectors } from './vectors/build.ts';

const folder = new URL('../vectors/', import.meta.url);
const built = buildMeshVectors();
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));

describe('the committed vectors of meshes', () => {
  it.each(Object.keys(built))('%s is what the code gives (else run scripts/make-vectors.ts)', (name) => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(built).sort());
    expect(read(name)).toEqual(built[name]);
  });

  it('let the node say that it is still there, three times', () => {
    const { beats, node } = read('catalogs.json');
    const wallMs = () => START_MS + 900_000;
    const book = new CatalogBook({ meshId: MESH_ID, wallMs, isMember: () => true });
    book.take(decodeRecord(hexToBytes(beats.head)));
    const taken = unpackBeats(hexToBytes(beats.packed)).map((beat) => [
      book.takeBeat(beat).kind,
      book.beats.aliveAtMs(node.publicKey),
    ]);
    expect(taken).toEqual([1, 2, 3].map((index) => ['news', START_MS + index * 300_000]));
  });

  it('let the node in and remove it', () => {
    const { invite, founder, membership, rosterThatRemovesIt, nodes } = read('membership.json');
    expect(parseInvite(invite).certificate.meshName).toBe('lab');
    const mesh = new Membership({ meshId: MESH_ID, wallMs: () => START_MS });
    for (const hex of [founder, membership]) mesh.take(decodeRecord(hexToBytes(hex)));
    expect(nodes.map(({ publicKey }: { publicKey: string }) => mesh.isMember(publicKey))).toEqual([true, true]);
    mesh.take(decodeRecord(hexToBytes(rosterThatRemovesIt)));
    expect(nodes.map(({ publicKey }: { publicKey: string }) => mesh.isMember(publicKey))).toEqual([true, false]);
  });
});
