/**
 * The local ordered map: its contract and two backends (LevelDB on disk, a map in memory), which one suite of tests holds to the
 * same behaviour. The only folder that imports `level`.
 */
export type { KvChange, KvCursor, KvDb, KvRange } from "./kvdb.ts";
