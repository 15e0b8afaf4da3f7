import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CheckpointsModelSchema } from "../../../gen/checkpointspb_pb.ts";
import { type Files, LevinError } from "../../base/mod.ts";
import type { CheckpointHome } from "./home.ts";

/** The `file` driver: one protobuf message, replaced whole, so that a crash leaves the old or the new one. */
export function fileHome(files: Files, path: string): CheckpointHome {
  return {
    name: path,
    async load() {
      const bytes = await files.read(path);
      if (bytes === undefined) return undefined;
      try {
        return fromBinary(CheckpointsModelSchema, bytes);
      } catch (cause) {
        const why = (cause as Error).message;
        throw new LevinError("Levin:State:ErrFormat", `Cannot read Lightning's checkpoints "${path}": ${why}`, {
          cause,
        });
      }
    },
    save: (model) => files.replace(path, toBinary(CheckpointsModelSchema, model)),
    remove: () => files.remove(path),
    move: (taskId) => files.rename(path, `${path}.${taskId}.bak`),
    close: async () => undefined,
  };
}
