import { LevinError } from "../base/mod.ts";
import { ByteSink, type Charset, Converter, invalidUtf8At } from "./charset.ts";
import { decompressed } from "./decompress.ts";
import type { Compression } from "./file-name.ts";
import { type DumpContent, readSqlDump } from "./sql-dump.ts";
import { type ByteSource, memorySource, rangeSource, type Storage, type StoredFile } from "./storage.ts";

/** Larger schema files are no schema files. */
const SCHEMA_BYTES_MAX = 64 * 1024 * 1024;
/** What a schema file is read into at first. */
const FIRST_BYTES = 64 * 1024;

export interface SchemaFileOptions {
  /** `auto`: UTF-8, or GB18030 where it is not. */
  readonly charset: Charset | "auto";
  readonly sqlMode?: string;
  readonly signal?: AbortSignal;
}

/** Opens a file of the source as a stream of its plain bytes. */
export async function openPlain(storage: Storage, file: StoredFile, compression: Compression): Promise<ByteSource> {
  const object = await storage.open(file.path);
  return decompressed(rangeSource(object, 0, object.sizeBytes), compression, file.path);
}

/** Reads a schema file whole. @throws LevinError `ErrEncoding`, `ErrSyntax`, `ErrSchemaFile` where it holds rows. */
export async function readSchemaFile(
  storage: Storage,
  file: StoredFile,
  compression: Compression,
  options: SchemaFileOptions,
): Promise<DumpContent> {
  // One byte more than there are, so that the end is found without growing; a buffer of the usual size for each of many small files is waste.
  const firstBytes = compression === "none" ? Math.min(file.sizeBytes + 1, FIRST_BYTES) : FIRST_BYTES;
  const bytes = await readWhole(await openPlain(storage, file, compression), file.path, firstBytes);
  const charset = options.charset === "auto" ? guessCharset(bytes, file.path) : options.charset;
  const content = await readSqlDump(memorySource(bytes), {
    file: file.path,
    charset,
    sqlMode: options.sqlMode,
    sizeBytes: bytes.length,
    signal: options.signal,
  });
  const rows = content.rows[0];
  if (rows !== undefined) throw schemaError(file.path, `it has rows of the table "${rows.table}"`);
  return content;
}

export function schemaError(file: string, detail: string): LevinError {
  return new LevinError("Levin:Source:ErrSchemaFile", `Cannot use the schema file "${file}": ${detail}`, {
    fields: { file },
  });
}

async function readWhole(source: ByteSource, file: string, firstBytes: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(firstBytes);
  let length = 0;
  try {
    for (;;) {
      if (length === bytes.length) {
        if (length >= SCHEMA_BYTES_MAX) throw schemaError(file, `it is larger than ${SCHEMA_BYTES_MAX} bytes`);
        const grown = new Uint8Array(length * 2);
        grown.set(bytes);
        bytes = grown;
      }
      const size = await source.read(bytes.subarray(length));
      if (size === 0) return bytes.subarray(0, length);
      length += size;
    }
  } finally {
    await source.close();
  }
}

function guessCharset(bytes: Uint8Array, file: string): Charset {
  const invalid = invalidUtf8At(bytes, 0, bytes.length);
  if (invalid < 0) return "utf8";
  if (bytes[0] === 0xff || bytes[0] === 0xfe) return "utf8";
  const converter = new Converter("gb18030", undefined);
  if (converter.convert(bytes, 0, bytes.length, new ByteSink()) === bytes.length) return "gb18030";
  throw new LevinError(
    "Levin:Source:ErrEncoding",
    `Cannot read "${file}": it is neither UTF-8 nor GB18030 (byte ${invalid}); name its character set`,
    { fields: { file, byte: invalid } },
  );
}
