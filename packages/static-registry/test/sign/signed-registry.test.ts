import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Clock, identityFromSeed, systemClock } from '@model-rtc/protocol';
import { changeList as changeByHand, sha256, temporaryFolder } from '../../../../test/support/registry-folder.ts';
import {
  createFolderTarget,
  givenPublicKeys,
  openStaticRegistry,
  openTrustedRegistries,
  type PublishOptions,
  type PublishTarget,
  publicKeyOf,
  publishModel,
  readPublicKeys,
  readSigner,
  type Signing,
} from '../../src/index.ts';
import { signList } from '../../src/sign/signatures.ts';

const ALICE = identityFromSeed(new Uint8Array(32).fill(1));
const BOB = identityFromSeed(new Uint8Array(32).fill(2));
const [A, B] = [publicKeyOf(ALICE), publicKeyOf(BOB)];
const HURRIED: Clock = { ...systemClock, after: (_, run) => systemClock.after(0, run) };
const CONTENT = Buffer.alloc(100, 'weights');

async function scene() {
  const folder = await temporaryFolder();
  const source = join(await temporaryFolder(), 'a');
  await writeFile(source, CONTENT);
  const files = [{ path: 'a.bin', size: CONTENT.length, sha256: sha256(CONTENT), source }] as never;
  const target = createFolderTarget(folder);
  const [here, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
  const signing = (signers = [ALICE], more: Partial<Signing> = {}): Signing => ({ signers, ...more });
  const publish = (version: string, more: Partial<PublishOptions> = {}, to: PublishTarget = target) =>
    publishModel(to, { files, group: 'g', model: 'm', version, metadata: {}, signing: signing(), ...more });
  /** As a reader who trusts these keys, with what this reader has seen. */
  const read = async (keys: readonly string[] = [A], home = here) => {
    const trust = { registries: openTrustedRegistries(home), keys };
    const list = await openStaticRegistry({ url: `file://${folder}`, trust, clock: HURRIED }).list();
    return list.versions('g', 'm').map(({ version }) => version);
  };
  const path = (name: string) => join(folder, name);
  const signatures = async () => JSON.parse(await readFile(path('models.json.sig'), 'utf8')).signatures;
  return { folder, target, publish, signing, read, path, signatures, here, elsewhere };
}

const refusal = (problem: string) => ({ code: 'verification_failed', details: expect.objectContaining({ problem }) });

describe('a signed registry', () => {
  it('is read by those who trust a key that signed it, and by those who pin none', async () => {
    const { publish, read } = await scene();
    const { signatures } = await publish('1');
    expect(signatures).toMatchObject([{ key: A, sequence: 1 }]);
    expect(await read()).toEqual(['1']);
    expect(await read([B, A])).toEqual(['1']);
    expect(await read([])).toEqual(['1']);
    await expect(read([B])).rejects.toMatchObject(refusal('signature_missing'));
  });

  it('is refused without signatures, with damaged ones, and when the list or the signature was changed', async () => {
    const { publish, read, path, folder } = await scene();
    await publish('1');
    const [list, signatures] = [await readFile(path('models.json')), await readFile(path('models.json.sig'), 'utf8')];
    await changeByHand(folder, (known) => Object.assign(known, { other: { m: { '1': { alias: '2' } } } }));
    await expect(read()).rejects.toMatchObject(refusal('signature_invalid'));
    await writeFile(path('models.json'), list);
    await writeFile(path('models.json.sig'), signatures.replace('"sequence": 1', '"sequence": 2'));
    await expect(read()).rejects.toMatchObject(refusal('signature_invalid'));
    for (const damaged of ['', '[]', '{"signatures":{}}', '\u0000']) {
      await writeFile(path('models.json.sig'), damaged);
      await expect(read()).rejects.toMatchObject(refusal('signature_invalid'));
    }
    for (const strange of ['{"signatures":[]}', '{"signatures":[7,null,{"key":"x"}]}']) {
      await writeFile(path('models.json.sig'), strange);
      await expect(read()).rejects.toMatchObject(refusal('signature_missing'));
    }
    await rm(path('models.json.sig'));
    await expect(read()).rejects.toMatchObject(refusal('signature_missing'));
  });

  it('is refused when it goes back to an earlier list, though that is signed as well', async () => {
    const { publish, read, path, elsewhere } = await scene();
    await publish('1');
    const first = await readFile(path('models.json'));
    await publish('2');
    expect(await read()).toEqual(['1', '2']);
    await writeFile(path('models.json'), first);
    await expect(read()).rejects.toMatchObject(refusal('list_rolled_back'));
    // Nobody who has not seen the newer one can know.
    expect(await read([A], elsewhere)).toEqual(['1']);
  });

  it('is refused when one number is given to two lists', async () => {
    const { publish, read, path } = await scene();
    const { publish: publishOther, path: otherPath } = await scene();
    await publish('1');
    await read();
    await publishOther('other');
    for (const name of ['models.json', 'models.json.sig']) await writeFile(path(name), await readFile(otherPath(name)));
    await expect(read()).rejects.toMatchObject(refusal('list_rolled_back'));
  });

  it('is refused when somebody rolls back to the list of another trusted publisher', async () => {
    const { publish, read, signing, path } = await scene();
    await publish('1', { signing: signing([BOB]) });
    const first = await readFile(path('models.json'));
    await publish('2', { signing: signing([ALICE], { trustKeys: [B] }) });
    expect(await read([A, B])).toEqual(['1', '2']);
    await writeFile(path('models.json'), first);
    await expect(read([A, B])).rejects.toMatchObject(refusal('list_rolled_back'));
  });

  it('can be read between the two writes of a publisher', async () => {
    const { publish, read, target } = await scene();
    await publish('1');
    let between: Promise<string[]> | undefined;
    const watched: PublishTarget = {
      ...target,
      writeNamed: async (file, ...rest) => {
        if (file === 'models.json') between = read();
        await between;
        return await target.writeNamed(file, ...rest);
      },
    };
    await publish('2', {}, watched);
    expect(await between).toEqual(['1']);
    expect(await read()).toEqual(['1', '2']);
  });
});

describe('a signature', () => {
  it('is the one that docs/static-registries.md shows, and node:crypto agrees', async () => {
    const page = await readFile(new URL('../../../../docs/static-registries.md', import.meta.url), 'utf8');
    const [, shown = ''] = /```json\n(\{\s*"signatures"[^`]*)```/.exec(page) ?? [];
    const [documented] = JSON.parse(shown).signatures;
    const list = `{"g":{"m":{"1":{"alias":"2"},"2":{"hash":"${'00'.repeat(32)}"}}}}\n`;
    expect(page).toContain(list.trim());
    const { sequence, time } = documented;
    const ours = signList(identityFromSeed(new Uint8Array(32).fill(7)), { sha256: sha256(list), sequence, time });
    expect(documented).toEqual(ours);
    const x = Buffer.from(ours.key, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const text = Buffer.from(`model-rtc/1/models.json\0${sha256(list)}\n${sequence}\n${time}\n`);
    expect(verify(null, text, key, Buffer.from(ours.signature, 'hex'))).toBe(true);
  });
});

describe('the file of pinned keys', () => {
  it.each(['', '{}', '{"version":2,"registries":{}}', '{"version":1,"registries":{"u":{"keys":["x"]}}}'])(
    'that is damaged as %j stops everything, and does not count as empty',
    async (content) => {
      const home = await temporaryFolder();
      await writeFile(join(home, 'trusted-registries.json'), content);
      const trusted = openTrustedRegistries(home);
      await expect(trusted.keysOf('u')).rejects.toMatchObject({ code: 'storage' });
      await expect(trusted.pin('u', [A])).rejects.toMatchObject({ code: 'storage' });
    },
  );

  it('keeps pins of registries apart, and loses none when several are made at once', async () => {
    const trusted = openTrustedRegistries(await temporaryFolder());
    await Promise.all([trusted.pin('u', [A]), trusted.pin('u', [B]), trusted.pin('constructor', [A])]);
    expect([...(await trusted.keysOf('u'))].sort()).toEqual([A, B].sort());
    expect(await trusted.unpin('u', [A])).toEqual([A]);
    expect([await trusted.keysOf('u'), await trusted.keysOf('constructor'), await trusted.keysOf('v')]).toEqual([
      [B],
      [A],
      [],
    ]);
  });
});

describe('keys in files', () => {
  it('are read as hex and as PEM, as openssl writes them', async () => {
    const folder = await temporaryFolder();
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const write = async (name: string, content: string | Buffer) => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    };
    const pem = await write('key', privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const publicPem = await write('key.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    expect(await readPublicKeys([`@${publicPem}`])).toEqual([publicKeyOf(await readSigner(pem))]);
    const hex = await write('hex', `${'01'.repeat(32)}\n`);
    expect([publicKeyOf(await readSigner(hex)), await readPublicKeys([A.toUpperCase()])]).toEqual([A, [A]]);
    expect(await givenPublicKeys(undefined, { MODEL_RTC_TRUST_KEY: `${A}, ${B}` })).toEqual([A, B]);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    for (const path of [await write('rsa', rsa), await write('empty', ''), join(folder, 'missing')]) {
      await expect(readSigner(path)).rejects.toMatchObject({ code: 'bad_argument' });
    }
    await expect(readPublicKeys(['xyz'])).rejects.toMatchObject({ code: 'bad_argument' });
  });
});

describe('signing a registry', () => {
  it('gives later lists higher numbers, keeps the signatures of some earlier ones, and writes nothing twice', async () => {
    const { publish, signatures } = await scene();
    for (let i = 1; i <= 12; i++) await publish(String(i), { now: () => new Date(Date.UTC(2026, 0, 1, 2 * i)) });
    const numbers = (await signatures()).map(({ sequence }: { sequence: number }) => sequence);
    expect(numbers[0]).toBe(12);
    expect(numbers.length).toBeLessThanOrEqual(10);
    expect(await publish('12')).toMatchObject({ isNew: false });
    expect((await signatures()).map(({ sequence }: { sequence: number }) => sequence)).toEqual(numbers);
  });

  it('loses nothing when several publish at once, each with a key of its own', async () => {
    const { publish, signing, read } = await scene();
    await publish('0');
    const names = ['1', '2', '3', '4', '5'];
    const both = (own: typeof ALICE) => signing([own], { trustKeys: [A, B] });
    await Promise.all(names.map((name, i) => publish(name, { signing: both(i % 2 === 0 ? ALICE : BOB) })));
    expect((await read([A, B])).sort()).toEqual(['0', ...names]);
  });

  it('leaves what others read when a publisher dies between the two writes, and goes on afterwards', async () => {
    const { publish, read, target } = await scene();
    await publish('1');
    const dying: PublishTarget = {
      ...target,
      writeNamed: async (file, ...rest) => {
        if (file === 'models.json') throw new Error('killed');
        return await target.writeNamed(file, ...rest);
      },
    };
    for (let i = 0; i < 30; i++) await expect(publish('2', {}, dying)).rejects.toThrow('killed');
    expect(await read()).toEqual(['1']);
    await publish('3');
    expect(await read()).toEqual(['1', '3']);
  });

  it('is necessary where the registry is signed', async () => {
    const { publish, read } = await scene();
    await publish('1');
    await expect(publish('2', { signing: undefined })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('--sign'),
    });
    expect(await read()).toEqual(['1']);
  });

  it('vouches for no list that somebody else wrote, unless its owner says so', async () => {
    const { publish, folder, path, read, signing } = await scene();
    await publish('1', { signing: undefined });
    await expect(publish('2')).rejects.toMatchObject(refusal('signature_missing'));
    await publish('2', { signing: signing([ALICE], { adopt: true }) });
    await publish('3');
    await expect(publish('4', { signing: signing([BOB]) })).rejects.toMatchObject(refusal('signature_missing'));
    await changeByHand(folder, (list) => Object.assign(list.g?.m ?? {}, { evil: { alias: '1' } }));
    await expect(publish('4')).rejects.toMatchObject(refusal('signature_missing'));
    await expect(read()).rejects.toMatchObject(refusal('signature_invalid'));
    await writeFile(path('models.json'), '{}');
    await expect(publish('4')).rejects.toMatchObject(refusal('signature_missing'));
  });

  it('signs a list that is there when its owner adopts it, though nothing in it changes', async () => {
    const { publish, read, signing } = await scene();
    await publish('1', { signing: undefined });
    expect(await publish('1', { signing: signing([ALICE], { adopt: true }) })).toMatchObject({ isNew: false });
    expect(await read()).toEqual(['1']);
  });

  it('does not carry on an old list, or one that vanished, where this publisher has seen a newer one', async () => {
    const { publish, path, signing, elsewhere, read } = await scene();
    const own = signing([ALICE], { registries: openTrustedRegistries(elsewhere) });
    await publish('1', { signing: own });
    const [list, signatures] = [await readFile(path('models.json')), await readFile(path('models.json.sig'))];
    await publish('2', { signing: own });
    await writeFile(path('models.json'), list);
    await writeFile(path('models.json.sig'), signatures);
    await expect(publish('3', { signing: own })).rejects.toMatchObject(refusal('list_rolled_back'));
    await rm(path('models.json'));
    await expect(publish('3', { signing: own })).rejects.toMatchObject(refusal('list_rolled_back'));
    expect((await publish('3', { signing: { ...own, adopt: true } })).signatures).toMatchObject([{ sequence: 3 }]);
    expect(await read()).toEqual(['3']);
  });

  it('takes several keys, while readers move from one to another', async () => {
    const { publish, read, signing, elsewhere } = await scene();
    await publish('1', { signing: signing([ALICE, BOB]) });
    expect([await read([A]), await read([B], elsewhere)]).toEqual([['1'], ['1']]);
  });

  it('does not count the numbers of strangers', async () => {
    const { publish, path, signatures } = await scene();
    await publish('1');
    const { publish: publishOther, path: otherPath, signing } = await scene();
    await publishOther('1', { signing: signing([BOB]) });
    const [strange] = JSON.parse(await readFile(otherPath('models.json.sig'), 'utf8')).signatures;
    const text = JSON.stringify({ signatures: [{ ...strange, sequence: 2 ** 53 - 1 }, ...(await signatures())] });
    await writeFile(path('models.json.sig'), text);
    expect((await publish('2')).signatures).toMatchObject([{ sequence: 2 }]);
  });
});
