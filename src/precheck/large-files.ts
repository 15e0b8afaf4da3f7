import type { Check } from "./check.ts";

/** As Lightning's LARGE_DATA_FILES. */
const LARGE_BYTES = 10 * 1024 ** 3;

/** Compressed files cannot be cut: one of them keeps one worker busy to its end. */
export const largeFiles: Check = async ({ tables }) =>
  tables.flatMap(({ files }) =>
    files
      .filter((file) => file.compression !== "none" && file.file.sizeBytes > LARGE_BYTES)
      .map((file) => ({
        check: "large-files",
        status: "warning" as const,
        detail: `"${file.file.path}" has ${Math.round(file.file.sizeBytes / 1024 ** 3)} GiB and is compressed, so that one worker alone reads it; decompress it to share the work`,
      })),
  );
