/** Reading back what runners wrote. What is damaged is left out, counted and named; `strict` makes it an error. */
import { equalBytes, LevinError } from "../base/mod.ts";
import { type BrCipher, decrypt, isEncrypting } from "./cipher.ts";
import { readChecksumDocument, readChecksumItems, readDataDocument, sha256 } from "./documents.ts";
import type { Home, StoredDocument } from "./homes.ts";
import type { GroupReader } from "./read-items.ts";
import type { LoadReport } from "./report.ts";
import type { ChecksumItem } from "./shapes.ts";

const EMPTY = new Uint8Array(0);

export interface WalkOptions {
  cipher?: BrCipher | undefined;
  report: LoadReport;
  signal?: AbortSignal | undefined;
}

/** A document's outer object; undefined where it is broken, which is counted. */
function outer<T>(
  document: StoredDocument,
  report: LoadReport,
  read: (bytes: Uint8Array, what: string) => T,
): T | undefined {
  report.documents++;
  report.bytes += document.bytes.length;
  try {
    return read(document.bytes, `"${document.where}"`);
  } catch (error) {
    if (!(error instanceof LevinError)) throw error;
    report.damage("broken-document", document.where, error.message);
    return undefined;
  }
}

/**
 * Gives every item of every data document in the order of names, groups and items; an item may come more than once. Errors: an unreadable
 * document (Levin:Br:ErrStorage), a group whose hash is right but whose text is not (ErrFormat), an impossible key or method (ErrCipher),
 * with `strict` any damage (ErrDamaged). A wrong key gives no item and no error: ask `report.wrongKey` afterwards.
 */
export async function walkItems<K, V>(
  home: Home,
  readGroup: GroupReader<K, V>,
  { cipher, report, signal }: WalkOptions,
  visit: (key: K, item: V) => void | Promise<void>,
): Promise<void> {
  for await (const document of home.dataDocuments(report)) {
    signal?.throwIfAborted();
    const data = outer(document, report, readDataDocument);
    if (data === undefined) continue;
    report.tookMs(data.dureNs);
    for (const [i, sealed] of data.groups.entries()) {
      const where = `${document.where} group ${i}`;
      report.groups++;
      if (sealed === null) {
        report.damage("null-part", where, "the group is null");
        continue;
      }
      const plain = decrypt(sealed.data ?? EMPTY, sealed.iv, cipher);
      if (plain === undefined) {
        report.unreadable++;
        report.damage("no-iv", where, `a key was given, but the group has ${sealed.iv?.length ?? "no"} IV bytes`);
        continue;
      }
      if (sealed.checksum === null || !equalBytes(sha256(plain), sealed.checksum)) {
        report.unreadable++;
        report.damage(
          "wrong-hash",
          where,
          isEncrypting(cipher) ? "its hash differs: damage or another key" : "its hash differs",
        );
        continue;
      }
      const group = readGroup(plain);
      for (const item of group.items) {
        report.items++;
        const wait = visit(group.key, item);
        if (wait !== undefined) await wait;
      }
    }
  }
}

/** All stored checksums by table id; a later document's item replaces an earlier one's. */
export async function loadChecksums(
  home: Home,
  report: LoadReport,
  signal?: AbortSignal,
): Promise<Map<bigint, ChecksumItem>> {
  const items = new Map<bigint, ChecksumItem>();
  for await (const document of home.checksumDocuments(report)) {
    signal?.throwIfAborted();
    const found = outer(document, report, readChecksumDocument);
    if (found === undefined) continue;
    if (!found.intact) {
      report.damage("wrong-hash", document.where, "the hash of its content differs");
      continue;
    }
    report.tookMs(found.dureNs);
    for (const item of readChecksumItems(found.content, `content of "${document.where}"`)) {
      if (item === undefined) report.damage("null-part", document.where, "a checksum item is null");
      else {
        report.items++;
        items.set(item.tableId, item);
      }
    }
  }
  return items;
}
