import type { CheckpointsModel } from "./model.ts";

/** Where Lightning's checkpoints of a task are kept. */
export interface CheckpointHome {
  /** For people: the file, or server and schema. */
  readonly name: string;
  /** undefined: nothing is there. Throws `Levin:State:ErrFormat` where it cannot be read. */
  load(): Promise<CheckpointsModel | undefined>;
  /** What was changed since the last `load` or `save` is there when it resolves. */
  save(model: CheckpointsModel): Promise<void>;
  remove(): Promise<void>;
  /** Puts it aside under the task's id, as `keep-after-success = "rename"` has it. */
  move(taskId: bigint): Promise<void>;
  close(): Promise<void>;
}
