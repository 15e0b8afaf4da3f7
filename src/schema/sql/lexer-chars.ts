export const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/** Characters of an unquoted name: letters, digits, `_`, `$` and everything above ASCII. */
export function isNameChar(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || isDigit(c) || c === 95 || c === 36 || c >= 128;
}
