import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { listFolder, makeFolder, withLock } from '@model-rtc/files';
import { type Log, ModelRtcError, scopeSchema } from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_MEETINGS } from '../../core/limits.ts';
import { NODE_NAME } from '../../core/node-name.ts';
import { type ConsentsFile, consentsFile } from './consents-file.ts';
import { JsonFile } from './json-file.ts';

const MESH_VERSION = 1;
const hexKey = z.string().regex(/^[0-9a-f]{64}$/);
const bytesText = z.string().regex(/^[A-Za-z0-9_-]+$/);
const url = z.string().max(2048);

const meshFileSchema = z.object({
  version: z.literal(MESH_VERSION),
  /** The authority's public key. */
  id: hexKey,
  name: z.string().regex(NODE_NAME),
  /** This machine's name in it. */
  nodeName: z.string().min(1).max(256),
  joinedAt: z.iso.datetime(),
  scopes: z.array(scopeSchema),
  /** Signaling servers at which its members wait. */
  signalingUrls: z.array(url).max(16).default([]),
  /** Members to reach first, as the invite named them. */
  contacts: z
    .array(z.object({ key: hexKey, urls: z.array(url).max(16) }))
    .max(16)
    .default([]),
  /** Secrets of the rooms where members can be found at these servers, base64url: of the invite, as a roster has newer ones. */
  meetings: z.array(bytesText).max(MAX_MEETINGS).default([]),
  /** This machine's signed membership, base64url. */
  membership: bytesText,
});
export type MeshFile = z.infer<typeof meshFileSchema>;

export const trustFileSchema = z.object({
  distrusted: z.array(
    z.object({ key: hexKey, name: z.string(), since: z.iso.datetime(), reason: z.string().optional() }),
  ),
});
export type TrustFile = z.infer<typeof trustFileSchema>;

const rosterFileSchema = z.object({
  epoch: z.number().int().min(0),
  sequence: z.number().int().min(0),
  /** For people; what counts is the signed record. */
  members: z.array(z.object({ key: hexKey, name: z.string() })),
  removed: z.array(z.object({ key: hexKey, epoch: z.number().int() })),
  /** The newest signed roster, base64url. */
  signed: bytesText,
  parts: z.array(bytesText).max(1024),
});
export type RosterFile = z.infer<typeof rosterFileSchema>;

const membersFileSchema = z.object({
  members: z.array(
    z.object({ key: hexKey, name: z.string(), scopes: z.array(scopeSchema), joinedAt: z.iso.datetime() }),
  ),
});
export type MembersFile = z.infer<typeof membersFileSchema>;

/** A mesh that this machine joined: its files. */
export interface JoinedMesh {
  readonly folder: string;
  readonly mesh: MeshFile;
  readonly trust: JsonFile<TrustFile>;
  readonly consents: JsonFile<ConsentsFile>;
  readonly roster: JsonFile<RosterFile | undefined>;
  /** For people and shells; what counts are the signed records. */
  readonly members: JsonFile<MembersFile>;
  /** The authority's private key; there only on the machine that made the mesh. */
  readonly authorityKeyFile: string;
}

/** Where everything of meshes lies in the data folder. */
export function meshFolder(root: string): string {
  return join(root, 'mesh');
}

/** The meshes that this machine joined, by name. A folder whose `mesh.json` is damaged is left out, with a warning. */
export async function joinedMeshes(root: string, log?: Log): Promise<JoinedMesh[]> {
  const folders = await listFolder(meshFolder(root));
  const found: JoinedMesh[] = [];
  for (const { name } of folders) {
    if (!FOLDER.test(name)) continue;
    const folder = join(meshFolder(root), name);
    const mesh = await meshFile(folder, log).read();
    if (mesh !== undefined) found.push(openJoined(folder, mesh, log));
  }
  return found.sort((a, b) => (a.mesh.name < b.mesh.name ? -1 : 1));
}

/**
 * The mesh of a name, or the only one.
 * @throws ModelRtcError `not_found_locally` when none was joined, or none of this name; `ambiguous` when there are several
 */
export async function joinedMesh(root: string, name: string | undefined, log?: Log): Promise<JoinedMesh> {
  const all = await joinedMeshes(root, log);
  const fitting = all.filter(({ mesh }) => name === undefined || isMeshCalled(mesh, name));
  const [first, second] = fitting;
  if (first === undefined) throw noMeshError(name, all, await damagedFolders(root));
  if (second === undefined) return first;
  const names = fitting.map(({ mesh }) => `${mesh.name} (${mesh.id.slice(0, 8)})`).join(', ');
  const sentence =
    name === undefined
      ? `This machine joined several meshes: ${names}. Pass --mesh with the name of one.`
      : `Several meshes are named "${name}": ${names}. Pass --mesh with the characters in brackets.`;
  throw new ModelRtcError('ambiguous', sentence);
}

/** Whether a mesh has this name, or an id that begins so. A few characters of an id are in names as well. */
export function isMeshCalled({ name, id }: Pick<MeshFile, 'name' | 'id'>, ref: string): boolean {
  return name === ref || (ref.length >= SHORTEST_ID && id.startsWith(ref));
}

const SHORTEST_ID = 6;

/** Folders of meshes whose `mesh.json` cannot be read, or is gone. */
async function damagedFolders(root: string): Promise<string[]> {
  const folders = (await listFolder(meshFolder(root))).filter(({ name }) => FOLDER.test(name));
  const paths = folders.map(({ name }) => join(meshFolder(root), name));
  const read = await Promise.all(paths.map(async (path) => ({ path, mesh: await meshFile(path).read() })));
  return read.flatMap(({ path, mesh }) => (mesh === undefined ? [path] : []));
}

function noMeshError(name: string | undefined, all: readonly JoinedMesh[], damaged: readonly string[]): ModelRtcError {
  if (damaged.length > 0) {
    const which = damaged.join(', ');
    const sentence = `The file mesh.json is missing or damaged in ${which}. Restore it, or join that mesh again: model-rtc mesh join INVITE.`;
    return new ModelRtcError('not_found_locally', sentence, { details: { folders: damaged } });
  }
  const how = 'Join it with: model-rtc mesh join INVITE. Or make one with: model-rtc mesh create NAME.';
  if (name === undefined)
    return new ModelRtcError('not_found_locally', `This machine is in no mesh. ${how.replace('it', 'one')}`);
  const joined = all.length === 0 ? 'none' : all.map(({ mesh }) => mesh.name).join(', ');
  return new ModelRtcError(
    'not_found_locally',
    `This machine did not join a mesh "${name}" (it is in: ${joined}). ${how}`,
  );
}

/** Writes a new mesh's folder; of one that was joined before, its newer membership. */
export async function saveMesh(root: string, mesh: MeshFile): Promise<JoinedMesh> {
  const joined = await placeMesh(root, mesh);
  await meshFile(joined.folder).update(() => mesh);
  return joined;
}

/** Makes the folder of a mesh that this machine has not joined yet. @throws ModelRtcError `storage` */
export async function placeMesh(root: string, mesh: MeshFile): Promise<JoinedMesh> {
  const folder = join(meshFolder(root), `${mesh.name}-${mesh.id.slice(0, 8)}`);
  await makeFolder(meshFolder(root), 0o700);
  await makeFolder(folder, 0o700);
  return openJoined(folder, mesh);
}

/** Moves a mesh's folder aside, so that a key in it is not lost. @returns where it is now */
export async function setMeshAside(root: string, { folder, mesh }: JoinedMesh, now: Date): Promise<string> {
  const aside = join(meshFolder(root), `left-${mesh.name}-${now.toISOString().replaceAll(/[:.]/g, '-')}`);
  return await withLock(join(meshFolder(root), 'folders.lock'), {}, async () => {
    await rename(folder, aside);
    return aside;
  });
}

/** A mesh's name, and the start of its id. What was left is set aside under a name that ends otherwise. */
const FOLDER = new RegExp(`^${NODE_NAME.source.slice(1, -1)}-[0-9a-f]{8}$`);

function meshFile(folder: string, log?: Log): JsonFile<MeshFile | undefined> {
  return new JsonFile({
    path: join(folder, 'mesh.json'),
    schema: meshFileSchema.or(z.undefined()),
    empty: undefined,
    log,
  });
}

function openJoined(folder: string, mesh: MeshFile, log?: Log): JoinedMesh {
  return {
    ...{ folder, mesh, authorityKeyFile: join(folder, 'authority.key') },
    trust: new JsonFile({ path: join(folder, 'trust.json'), schema: trustFileSchema, empty: { distrusted: [] }, log }),
    consents: consentsFile(folder, log),
    roster: new JsonFile({
      path: join(folder, 'roster.json'),
      schema: rosterFileSchema.or(z.undefined()),
      empty: undefined,
      log,
    }),
    members: new JsonFile({
      path: join(folder, 'members.json'),
      schema: membersFileSchema,
      empty: { members: [] },
      log,
    }),
  };
}
