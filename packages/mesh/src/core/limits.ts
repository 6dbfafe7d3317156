/** Every bound of a mesh, with its reason. */

/** A signed record, a part of a catalog, or a part of a roster: what one answer over a lane holds easily. */
export const MAX_RECORD_BYTES = 64 * 1024;
/** Nodes of one mesh: everyone knows everyone. */
export const MAX_MEMBERS = 16_384;
/** Keys that a roster remembers as removed. It names all of them at once, so that a removal holds with its first message. */
export const MAX_REMOVED = 1_000;
/** Invites that a roster revokes: those that have expired need not be named. */
export const MAX_REVOKED_INVITES = 256;
/** The most that an invite can let in. */
export const MAX_INVITE_USES = 10_000;
/** An invite as text: several addresses, and still one line to paste. */
export const MAX_INVITE_CHARS = 8_192;
/** Members that an invite names to be reached first: some of them may be gone for ever. */
export const MAX_INVITE_MEMBERS = 8;
/** Epochs whose meeting rooms are held: invites that were made before so many removals still lead to whoever is there. */
export const MAX_MEETINGS = 4;
/** How long a node counts as present after its last sign of life. */
export const CATALOG_TTL_MS = 300_000;
/** A catalog that counts no longer than this says that its node is leaving: the shortest that one can count. */
export const GOODBYE_TTL_MS = 1_000;
/** How far two clocks may be apart: what claims to be from later than this is refused. */
export const MAX_SKEW_MS = 120_000;
/** Catalogs of one node in a minute: a change of its models or a download makes one. */
export const MAX_CATALOGS_PER_MINUTE = 60;
/** Times that a node may join or leave in a minute: a person does it a few times. */
export const MAX_MEMBERSHIPS_PER_MINUTE = 12;
/** Models of one node. */
export const MAX_NODE_MODELS = 10_000;
/** Models of all nodes together, one counted for each node that has it: about 200 MB in memory. When there are more, nodes get equal shares. */
export const MAX_MESH_MODELS = 200_000;
/** A part counts as one model for each so many bytes, if it has fewer models than that: long texts must not take more memory than many models. */
export const WEIGHED_BYTES = 1_024;
/** What the models of one node weigh: as many as it may have, with long texts. */
export const MAX_NODE_WEIGHT = 4 * MAX_NODE_MODELS;
/** Beats of one head: whoever missed all of them takes two milliseconds to check the last. */
export const MAX_BEATS = 1_024;
/** How long the beats of one head last. A signature every six hours costs nothing, and who was away hashes 72 times. */
export const BEATS_LAST_MS = 6 * 3_600_000;
/** Parts are split until none is longer, so that a new model costs everyone little; a few long entries may need more. */
export const PART_BYTES_WANTED = 16 * 1024;
/** Parts of one catalog or roster: their hashes fit into its head. */
export const MAX_PARTS = 1_024;
export const MAX_TAGS = 32;
export const MAX_PROPERTIES = 64;
/** Those that a person gives a node; the others are what its worker finds out about the machine. */
export const MAX_OWN_PROPERTIES = MAX_PROPERTIES - 16;
/** A tag is a word. */
export const MAX_TAG_CHARS = 64;
/** A property's text is shown in a table. */
export const MAX_PROPERTY_CHARS = 256;
/** Digests that a node says it is fetching now. */
export const MAX_FETCHING = 64;
/** Nodes whose reliability a node tells the others: those that it asked last. 216 bytes of its catalog. */
export const MAX_HINTS = 24;
/** The longest URL of a bridge. */
export const MAX_BRIDGE_URL_CHARS = 256;
export const MAX_NODE_NAME_CHARS = 64;
/** Prefetch rules of one mesh: a person reads all of them. */
export const MAX_PREFETCH_RULES = 32;
/** Models that one prefetch rule is done with, whether fetched or not. They are listed in a file for people; a rule that has so many rests. */
export const MAX_PREFETCH_DONE = 1_000;
/** Models that one prefetch rule tries again later; while there are so many, it begins no other. */
export const MAX_PREFETCH_WAITING = 50;
