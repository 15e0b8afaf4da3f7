import { type ErrorCode, LevinError } from "../base/mod.ts";

/** Where in a source file something is; `byte` counts the decompressed stream. */
export interface Place {
  readonly file: string;
  readonly byte: number;
  /** From 1. */
  readonly row?: number;
  /** Number of the field in its row, from 1. */
  readonly column?: number;
}

/** "(row 812, column 3, byte 40960)" */
function placeText(place: Place): string {
  const parts: string[] = [];
  if (place.row !== undefined) parts.push(`row ${place.row}`);
  if (place.column !== undefined) parts.push(`column ${place.column}`);
  parts.push(`byte ${place.byte}`);
  return `(${parts.join(", ")})`;
}

/** An error at a place of a source file; `what` is the failed action, such as "parse row in". */
export function sourceError(code: ErrorCode, what: string, detail: string, place: Place, cause?: unknown): LevinError {
  return new LevinError(code, `Cannot ${what} "${place.file}": ${detail} ${placeText(place)}`, {
    cause,
    fields: { file: place.file, row: place.row, column: place.column, byte: place.byte },
  });
}
