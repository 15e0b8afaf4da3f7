import { LevinError } from "../base/mod.ts";

/** What can be wrong with a part of a checkpoint that is left out while the rest is read. */
export type DamageKind =
  /** The outer document is no JSON of the right shape. */
  | "broken-document"
  /** A group's or content's hash is another: damaged, or decrypted with another key. */
  | "wrong-hash"
  /** A group or item is null. */
  | "null-part"
  /** A key was given, but the group has no IV or one of another length. */
  | "no-iv"
  /** A document's segments do not follow each other from 0 on. */
  | "missing-segment";

export interface Damage {
  kind: DamageKind;
  /** File name or table and uuid. */
  where: string;
  detail: string;
}

/** The most findings that are kept one by one; all are counted. */
const FINDINGS_MAX = 1000;

/** What reading a checkpoint found; filled while it goes on, so that it holds what was seen before an error. */
export class LoadReport {
  documents = 0;
  bytes = 0;
  groups = 0;
  items = 0;
  /** The largest elapsed time that a document tells, nanoseconds. */
  pastDureNs = 0n;
  damages: Damage[] = [];
  damageCount = 0;
  /** Files beside the checkpoint's own, which are passed over. */
  foreign: string[] = [];
  foreignCount = 0;
  /** Groups whose content did not come out as it was written, by hash or for want of an IV. */
  unreadable = 0;
  private readonly strict: boolean;

  constructor(strict = false) {
    this.strict = strict;
  }

  /** Counts what is left out; strict reading stops there. */
  damage(kind: DamageKind, where: string, detail: string): void {
    this.damageCount++;
    if (this.damages.length < FINDINGS_MAX) this.damages.push({ kind, where, detail });
    if (this.strict) {
      throw new LevinError("Levin:Br:ErrDamaged", `Cannot read "${where}": ${detail}`, { fields: { where, kind } });
    }
  }

  foreignFile(name: string): void {
    this.foreignCount++;
    if (this.foreign.length < FINDINGS_MAX) this.foreign.push(name);
  }

  tookMs(dureNs: bigint): void {
    if (dureNs > this.pastDureNs) this.pastDureNs = dureNs;
  }

  /**
   * Tells a wrong key from an empty checkpoint: there were groups, and not one could be read. Call it after a walk; the error says what is
   * likely wrong.
   */
  wrongKey(encrypting: boolean): LevinError | undefined {
    if (this.groups === 0 || this.unreadable < this.groups) return undefined;
    const noIv = this.damages.some(({ kind }) => kind === "no-iv");
    const why = !encrypting
      ? "the data is encrypted and no key was given"
      : noIv
        ? "the data was written without encryption, or with another method"
        : "the key is not the one that the data was written with";
    return new LevinError(
      "Levin:Br:ErrCipher",
      `Cannot decrypt the checkpoint: none of its ${this.groups} groups can be read; ${why}`,
      { fields: { groups: this.groups } },
    );
  }
}
