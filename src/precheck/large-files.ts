import type { Check } from "./check.ts";

/** As Lightning's LARGE_DATA_FILES. */
const LARGE_BYTES = 10 * 1024 ** 3;

/** The stream of a compressed file is decompressed by one thread, however many workers take its rows. */
export const largeFiles: Check = async ({ tables }) =>
  tables.flatMap(({ files }) =>
    files
      .filter((file) => file.compression !== "none" && file.file.sizeBytes > LARGE_BYTES)
      .map((file) => ({
        check: "large-files",
        status: "warning" as const,
        detail: `"${file.file.path}" has ${Math.round(file.file.sizeBytes / 1024 ** 3)} GiB and is compressed: one thread decompresses it, which bounds the speed; several smaller files would not`,
      })),
  );
