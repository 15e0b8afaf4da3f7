import { ddlError } from "../sql/sql-error.ts";
import type { DdlSession } from "./session.ts";

interface CharsetFacts {
  /** Longest character in bytes. */
  maxLength: number;
  defaultCollation: string;
}

/** Character sets that TiDB has (`pkg/parser/charset/charset.go`). */
const CHARSETS: Record<string, CharsetFacts> = {
  utf8: { maxLength: 3, defaultCollation: "utf8_bin" },
  utf8mb4: { maxLength: 4, defaultCollation: "utf8mb4_bin" },
  ascii: { maxLength: 1, defaultCollation: "ascii_bin" },
  latin1: { maxLength: 1, defaultCollation: "latin1_bin" },
  binary: { maxLength: 1, defaultCollation: "binary" },
  gbk: { maxLength: 2, defaultCollation: "gbk_chinese_ci" },
  gb18030: { maxLength: 4, defaultCollation: "gb18030_chinese_ci" },
};

/** Collations under `new_collations_enabled_on_first_bootstrap` (`pkg/util/collate/collate.go`). */
const NEW_COLLATIONS = new Set(
  `binary ascii_bin latin1_bin utf8_bin utf8mb4_bin utf8_general_ci utf8mb4_general_ci utf8_unicode_ci utf8mb4_unicode_ci
utf8mb4_0900_ai_ci utf8mb4_0900_bin gbk_bin gbk_chinese_ci gb18030_bin gb18030_chinese_ci`.split(/\s+/),
);

/** Further collations whose names TiDB knows; without new collations they all compare as bytes. */
const OTHER_COLLATIONS = new Set(
  `latin1_german1_ci latin1_swedish_ci latin1_danish_ci latin1_german2_ci latin1_general_ci latin1_general_cs latin1_spanish_ci
ascii_general_ci utf8mb4_icelandic_ci utf8mb4_latvian_ci utf8mb4_romanian_ci utf8mb4_slovenian_ci utf8mb4_polish_ci
utf8mb4_estonian_ci utf8mb4_spanish_ci utf8mb4_swedish_ci utf8mb4_turkish_ci utf8mb4_czech_ci utf8mb4_danish_ci
utf8mb4_lithuanian_ci utf8mb4_slovak_ci utf8mb4_spanish2_ci utf8mb4_roman_ci utf8mb4_persian_ci utf8mb4_esperanto_ci
utf8mb4_hungarian_ci utf8mb4_sinhala_ci utf8mb4_german2_ci utf8mb4_croatian_ci utf8mb4_unicode_520_ci utf8mb4_vietnamese_ci
utf8_icelandic_ci utf8_latvian_ci utf8_romanian_ci utf8_slovenian_ci utf8_polish_ci utf8_estonian_ci utf8_spanish_ci
utf8_swedish_ci utf8_turkish_ci utf8_czech_ci utf8_danish_ci utf8_lithuanian_ci utf8_slovak_ci utf8_spanish2_ci utf8_roman_ci
utf8_persian_ci utf8_esperanto_ci utf8_hungarian_ci utf8_sinhala_ci utf8_german2_ci utf8_croatian_ci utf8_unicode_520_ci
utf8_vietnamese_ci utf8_general_mysql500_ci`.split(/\s+/),
);

export interface CharsetChoice {
  charset?: string;
  collate?: string;
}

/** Bytes of the longest character; 1 for what is not known. */
export function charsetMaxLength(charset: string): number {
  return CHARSETS[charset]?.maxLength ?? 1;
}

export function checkCharset(charset: string): void {
  if (!Object.hasOwn(CHARSETS, charset)) throw ddlError(1115, `Unknown character set: '${charset}'`);
}

/** Character set of a collation; throws 1273 for collations that the server has not. */
export function charsetOfCollation(collation: string, session: DdlSession): string {
  if (!NEW_COLLATIONS.has(collation)) {
    if (!OTHER_COLLATIONS.has(collation)) throw ddlError(1273, `Unknown collation: '${collation}'`);
    if (session.newCollation) {
      throw ddlError(1273, `Unsupported collation when new collation is enabled: '${collation}'`);
    }
  }
  return collation === "binary" ? "binary" : collation.slice(0, collation.indexOf("_"));
}

export function defaultCollation(charset: string, session: DdlSession): string {
  checkCharset(charset);
  if (charset === "utf8mb4") return session.defaultUtf8mb4Collation ?? "utf8mb4_bin";
  if (!session.newCollation && charset.startsWith("gb")) return `${charset}_bin`;
  return CHARSETS[charset]!.defaultCollation;
}

/** The `_bin` collation of a character set. */
export function binCollation(charset: string): string {
  return charset === "binary" ? "binary" : `${charset}_bin`;
}

/**
 * The first choice that says anything decides; the missing half follows from the other (`pkg/ddl/create_table.go`,
 * ResolveCharsetCollation). Throws 1115, 1253 or 1273.
 */
export function resolveCharset(choices: CharsetChoice[], session: DdlSession): { charset: string; collate: string } {
  for (const { charset, collate } of choices) {
    if (charset !== undefined) checkCharset(charset);
    if (collate !== undefined) {
      const of = charsetOfCollation(collate, session);
      if (charset !== undefined && charset !== of) {
        throw ddlError(1253, `COLLATION '${collate}' is not valid for CHARACTER SET '${charset}'`);
      }
      return { charset: of, collate };
    }
    if (charset !== undefined) return { charset, collate: defaultCollation(charset, session) };
  }
  return { charset: "utf8mb4", collate: defaultCollation("utf8mb4", session) };
}
