import { create } from "@bufbuild/protobuf";
import {
  type CheckpointsModel,
  CheckpointsModelSchema,
  type ChunkCheckpointModel,
  ChunkCheckpointModelSchema,
  type EngineCheckpointModel,
  EngineCheckpointModelSchema,
  type TableCheckpointModel,
  TableCheckpointModelSchema,
  TaskCheckpointModelSchema,
} from "../../../gen/checkpointspb_pb.ts";

export type { CheckpointsModel, ChunkCheckpointModel, EngineCheckpointModel, TableCheckpointModel };

/**
 * How far a table or engine is (pkg/lightning/checkpoints/checkpoints.go). A status that failed is divided by ten there, so that anything
 * up to `maxInvalid` waits for somebody's decision.
 */
export const CheckpointStatus = {
  missing: 0,
  maxInvalid: 25,
  loaded: 30,
  allWritten: 60,
  closed: 90,
  imported: 120,
  indexImported: 140,
  alteredAutoInc: 150,
  checksumSkipped: 170,
  checksummed: 180,
  analyzeSkipped: 200,
  analyzed: 210,
} as const;

/** The engine of a table's index pairs. */
export const INDEX_ENGINE = -1;

/** `` `db`.`table` ``, the name of a table in Lightning's checkpoints. */
export function qualifiedName(database: string, table: string): string {
  const part = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
  return `${part(database)}.${part(table)}`;
}

export function emptyCheckpoints(): CheckpointsModel {
  return create(CheckpointsModelSchema, { taskCheckpoint: create(TaskCheckpointModelSchema) });
}

export const newTable = (init: Partial<TableCheckpointModel>): TableCheckpointModel =>
  create(TableCheckpointModelSchema, init as object);
export const newEngine = (init: Partial<EngineCheckpointModel>): EngineCheckpointModel =>
  create(EngineCheckpointModelSchema, init as object);
export const newChunk = (init: Partial<ChunkCheckpointModel>): ChunkCheckpointModel =>
  create(ChunkCheckpointModelSchema, init as object);

/** The key of a chunk in its engine. */
export function chunkKey({ path, offset }: Pick<ChunkCheckpointModel, "path" | "offset">): string {
  return `${path}:${offset}`;
}

/** Rows of the table may be in engines or in the cluster, but not all of them are: only who began it can go on. */
export function isUnderWay({ status, engines }: TableCheckpointModel): boolean {
  if (status >= CheckpointStatus.checksumSkipped) return false;
  if (status > CheckpointStatus.maxInvalid && status !== CheckpointStatus.loaded) return true;
  return Object.values(engines).some(
    (engine) =>
      engine.status > CheckpointStatus.loaded || Object.values(engine.chunks).some((chunk) => chunk.pos > chunk.offset),
  );
}
