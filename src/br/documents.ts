/** The outer documents: data files with their encrypted groups, checksum files. One JSON object each, without a newline. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { equalBytes, utf8 } from "../base/mod.ts";
import { encodeBase64 } from "./base64.ts";
import { int } from "./json-fields.ts";
import { type Fields, JsonReader } from "./json-reader.ts";
import { quoteBytes } from "./json-text.ts";
import type { ChecksumItem } from "./shapes.ts";

/** One group of a data file as it is stored. `size` (of the plain text) is for people; nobody checks it. */
export interface SealedGroup {
  data: Uint8Array | null;
  /** SHA-256 of the plain text. */
  checksum: Uint8Array | null;
  iv: Uint8Array | null;
  size: bigint;
}

export interface DataDocument {
  dureNs: bigint;
  /** A null element is damage that a reader has to report. */
  groups: (SealedGroup | null)[];
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

export function readDataDocument(bytes: Uint8Array, what: string): DataDocument {
  const json = new JsonReader(bytes, what);
  const document: DataDocument = { dureNs: 0n, groups: [] };
  let sealed: SealedGroup;
  const groupFields: Fields = new Map([
    [
      "rangegroupsencripteddata",
      () => {
        sealed.data = json.base64();
      },
    ],
    [
      "checksum",
      () => {
        sealed.checksum = json.base64();
      },
    ],
    [
      "cipheriv",
      () => {
        sealed.iv = json.base64();
      },
    ],
    [
      "size",
      () => {
        sealed.size = json.int64() ?? sealed.size;
      },
    ],
  ]);
  json.object(
    new Map([
      ["dure-time", int(json, document, "dureNs")],
      [
        "range-group-metas",
        () => {
          const groups: (SealedGroup | null)[] = [];
          json.array(() => {
            if (json.takeNull()) {
              groups.push(null);
              return;
            }
            sealed = { data: null, checksum: null, iv: null, size: 0n };
            json.object(groupFields);
            groups.push(sealed);
          });
          document.groups = groups;
        },
      ],
    ]),
  );
  json.end();
  return document;
}

export function printDataDocument(dureNs: bigint, groups: readonly SealedGroup[]): Uint8Array {
  // All of it is ASCII, put straight into its place: a batch is large.
  const parts: string[] = [`{"dure-time":${dureNs},"range-group-metas":[`];
  groups.forEach(({ data, checksum, iv, size }, i) => {
    parts.push(`${i === 0 ? "" : ","}{"RangeGroupsEncriptedData":`, quoteBytes(data));
    parts.push(`,"Checksum":${quoteBytes(checksum)},"CipherIv":${quoteBytes(iv)},"Size":${size}}`);
  });
  parts.push("]}");
  const out = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) at += out.write(part, at, "latin1");
  return out;
}

export interface ChecksumDocument {
  dureNs: bigint;
  content: Uint8Array;
  /** The content's hash is the one that is stored. */
  intact: boolean;
}

export function readChecksumDocument(bytes: Uint8Array, what: string): ChecksumDocument {
  const json = new JsonReader(bytes, what);
  const document = { dureNs: 0n, content: null as Uint8Array | null, checksum: null as Uint8Array | null };
  json.object(
    new Map([
      [
        "content",
        () => {
          document.content = json.base64();
        },
      ],
      [
        "checksum",
        () => {
          document.checksum = json.base64();
        },
      ],
      ["dure-time", int(json, document, "dureNs")],
    ]),
  );
  json.end();
  const content = document.content ?? new Uint8Array(0);
  const intact = document.checksum !== null && equalBytes(sha256(content), document.checksum);
  return { dureNs: document.dureNs, content, intact };
}

/** Items of a checksum document's content; undefined for a null item, which is damage. */
export function readChecksumItems(content: Uint8Array, what: string): (ChecksumItem | undefined)[] {
  const json = new JsonReader(content, what);
  let items: (ChecksumItem | undefined)[] = [];
  let item: ChecksumItem;
  const fields: Fields = new Map([
    [
      "table-id",
      () => {
        item.tableId = json.int64() ?? item.tableId;
      },
    ],
    [
      "crc64-xor",
      () => {
        item.crc64xor = json.uint64() ?? item.crc64xor;
      },
    ],
    [
      "total-kvs",
      () => {
        item.totalKvs = json.uint64() ?? item.totalKvs;
      },
    ],
    [
      "total-bytes",
      () => {
        item.totalBytes = json.uint64() ?? item.totalBytes;
      },
    ],
  ]);
  json.object(
    new Map([
      [
        "checksum-items",
        () => {
          items = [];
          json.array(() => {
            if (json.takeNull()) {
              items.push(undefined);
              return;
            }
            item = { tableId: 0n, crc64xor: 0n, totalKvs: 0n, totalBytes: 0n };
            json.object(fields);
            items.push(item);
          });
        },
      ],
    ]),
  );
  json.end();
  return items;
}

export function printChecksumItem(item: ChecksumItem): string {
  return `{"table-id":${item.tableId},"crc64-xor":${item.crc64xor},"total-kvs":${item.totalKvs},"total-bytes":${item.totalBytes}}`;
}

/** A checksum document of printed items. */
export function printChecksumDocument(dureNs: bigint, items: readonly string[]): Uint8Array {
  const content = utf8(`{"checksum-items":[${items.join(",")}]}`);
  return utf8(
    `{"content":"${encodeBase64(content)}","checksum":"${encodeBase64(sha256(content))}","dure-time":${dureNs}}`,
  );
}
