import * as z from 'zod';
import { digestSchema } from './digest.ts';
import { MAX_TIME_MS } from './limits.ts';

/** A record or a part of a catalog, in bytes. */
export const MAX_MESH_RECORD_BYTES = 64 * 1024;
/** Records in one message; their bytes are bounded by the message. */
const MAX_RECORDS = 4_096;
/** What a mesh of 10,000 nodes has: a membership and a head of each, and some. */
const MAX_SUMMARY = 32_768;
/** Parts in one request: 2 MiB at most. */
const MAX_PARTS = 32;
/** Parts that come with records, where they cannot be fetched. */
const MAX_SENT_PARTS = 8;
/** Hashes of parts that one side lacks, in one answer. */
const MAX_MISSING_PARTS = 256;
/** A public key that is used once, and the holder's key masked with it. */
const HOLDER_BYTES = 64;

/** A signed record of a mesh: a membership, a roster, a leave or the head of a catalog. What is in it is the mesh's to check. */
const recordSchema = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length > 0 && value.length <= MAX_MESH_RECORD_BYTES,
  'a record of 1 byte to 64 KiB',
);
const nameSchema = z.string().min(1).max(128);

/** Names of records fall into so many ranges, by the first byte of the key in them. */
const RANGES = 256;
const rangesSchema = z
  .array(
    z
      .number()
      .int()
      .min(0)
      .max(RANGES - 1),
  )
  .max(RANGES);

/** A sign of life: 8 bytes of the node's key, 8 of the sequence of its head, 2 of the index, 16 of the value. */
const BEAT_BYTES = 34;
/** Nodes of a mesh: each has one newest beat. */
const MAX_NODES = 16_384;
/** Bytes that come in pieces of one length, many in one binary. */
const piecesSchema = (length: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length % length === 0 && value.length <= MAX_NODES * length,
    `at most ${MAX_NODES} pieces of ${length} bytes`,
  );

/** The sender's date, in milliseconds since 1970: two whose clocks differ can say so. */
const sentAtSchema = z.number().int().min(0).max(MAX_TIME_MS).optional();

export const meshGossipParams = z.object({
  records: z.array(recordSchema).max(MAX_RECORDS),
  /** Signs of life, one after the other. What is in them is the mesh's to check. */
  beats: piecesSchema(BEAT_BYTES).optional(),
  /** All that the sender has, by name and order: the answer brings what is newer. Left out where only news is told. */
  have: z
    .array(
      z.object({
        name: nameSchema,
        order: z.number().int().min(0),
        /** Of a head: how many beats of it the sender knows. */
        beat: z.number().int().min(0).max(65_535).optional(),
      }),
    )
    .max(MAX_SUMMARY)
    .optional(),
  /** What `have` is about, when it is about a part of all names. */
  ranges: rangesSchema.optional(),
  /** Asks in which ranges of names the two differ, before any name is sent. */
  hashes: z
    .custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === RANGES * 8, '8 bytes for each range')
    .optional(),
  /** Parts that the other side lacks and cannot fetch. */
  parts: z.array(recordSchema).max(MAX_SENT_PARTS).optional(),
  /** Beats of later than this, in milliseconds since 1970, are left out of `hashes`. */
  beatsUntil: z.number().int().min(0).max(MAX_TIME_MS).optional(),
  sentAt: sentAtSchema,
});
export const meshGossipResult = z.object({
  records: z.array(recordSchema).max(MAX_RECORDS),
  beats: piecesSchema(BEAT_BYTES).optional(),
  /** Names of records that the sender has and this side lacks. */
  want: z.array(nameSchema).max(MAX_SUMMARY),
  /** Nodes whose newer beats the asker knows: the first 8 bytes of the key of each. */
  wantBeats: piecesSchema(8).optional(),
  /** The answer to `hashes`. */
  ranges: rangesSchema.optional(),
  /** Parts that this side lacks, where it cannot fetch them. */
  missing: z.array(digestSchema).max(MAX_MISSING_PARTS).optional(),
  /** In a meeting room: the member that holds it, for the asker alone. */
  holder: z
    .custom<Uint8Array>(
      (value) => value instanceof Uint8Array && value.length === HOLDER_BYTES,
      `${HOLDER_BYTES} bytes`,
    )
    .optional(),
  sentAt: sentAtSchema,
});
export const meshFetchParams = z.object({ parts: z.array(digestSchema).min(1).max(MAX_PARTS) });
export const meshFetchResult = z.object({ parts: z.array(recordSchema).max(MAX_PARTS) });
