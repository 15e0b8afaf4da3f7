/**
 * Lightning's own checkpoints, so that tools which look there go on working: the protobuf file of the `file` driver and the tables of the
 * `mysql` driver (pkg/lightning/checkpoints). levin resumes by its journal alone; these are derived from it.
 */
export { destroyErrors, dumpCsv, ignoreErrors, selectTables, tablesWithLocalFiles } from "./control.ts";
export { fileHome } from "./file-home.ts";
export type { CheckpointHome } from "./home.ts";
export {
  CheckpointStatus,
  type CheckpointsModel,
  chunkKey,
  emptyCheckpoints,
  INDEX_ENGINE,
  isUnderWay,
  newChunk,
  newEngine,
  newTable,
  qualifiedName,
  type TableCheckpointModel,
} from "./model.ts";
export { type SqlAccess, tableHome } from "./table-home.ts";
