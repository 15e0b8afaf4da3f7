/** Collations of TiDB: name, character set, id, default, compiled, sort length, padding. */
export const collations: string[][] = [
  ["ascii_bin", "ascii", "65", "Yes", "Yes", "1", "PAD SPACE"],
  ["binary", "binary", "63", "Yes", "Yes", "1", "NO PAD"],
  ["gbk_bin", "gbk", "87", "", "Yes", "1", "PAD SPACE"],
  ["gbk_chinese_ci", "gbk", "28", "Yes", "Yes", "1", "PAD SPACE"],
  ["latin1_bin", "latin1", "47", "Yes", "Yes", "1", "PAD SPACE"],
  ["utf8_bin", "utf8", "83", "Yes", "Yes", "1", "PAD SPACE"],
  ["utf8_general_ci", "utf8", "33", "", "Yes", "1", "PAD SPACE"],
  ["utf8_unicode_ci", "utf8", "192", "", "Yes", "8", "PAD SPACE"],
  ["utf8mb4_0900_ai_ci", "utf8mb4", "255", "", "Yes", "0", "NO PAD"],
  ["utf8mb4_0900_bin", "utf8mb4", "309", "", "Yes", "1", "NO PAD"],
  ["utf8mb4_bin", "utf8mb4", "46", "Yes", "Yes", "1", "PAD SPACE"],
  ["utf8mb4_general_ci", "utf8mb4", "45", "", "Yes", "1", "PAD SPACE"],
  ["utf8mb4_unicode_ci", "utf8mb4", "224", "", "Yes", "8", "PAD SPACE"],
];

/** Character sets: name, description, default collation, longest character. */
export const characterSets: string[][] = [
  ["ascii", "US ASCII", "ascii_bin", "1"],
  ["binary", "binary", "binary", "1"],
  ["gbk", "Chinese Internal Code Specification", "gbk_chinese_ci", "2"],
  ["latin1", "Latin1", "latin1_bin", "1"],
  ["utf8", "UTF-8 Unicode", "utf8_bin", "3"],
  ["utf8mb4", "UTF-8 Unicode", "utf8mb4_bin", "4"],
];
