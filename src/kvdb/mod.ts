/**
 * The local ordered map: its contract and two backends (LevelDB on disk, a map in memory), which one suite of tests holds to the
 * same behaviour. The only folder that imports `level`.
 *
 * It lacks transactions, snapshots beyond a cursor's, and compression. Large values in ascending order are what the LevelDB backend
 * is tuned for; one small pair an entry costs ten times as much (design §2).
 */
export type { KvChange, KvCursor, KvDb, KvRange } from "./kvdb.ts";
export { type LevelKvDbOptions, openLevelKvDb } from "./level-kvdb.ts";
export { memoryKvDb } from "./memory-kvdb.ts";
