/**
 * Regular expressions as TiDB's functions have them: Go's syntax, matched in time linear in the text, so that no pattern hangs.
 * It lacks scripts that the runtime's Unicode data do not name as Go's do.
 */
export { allMatches, matchFrom, type Runes, runesOfText } from "./match.ts";
export { compilePattern, type Program } from "./program.ts";
export { PatternError } from "./syntax.ts";
