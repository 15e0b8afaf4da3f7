import { parse as parseToml, TomlError } from "smol-toml";
import { parseDocument } from "yaml";
import { LevinError } from "../base/mod.ts";

const MAX_ALIASES = 100;

/** Parses a TOML, YAML or JSON document (by the file's ending; anything else is YAML) whose top is a table. Throws `Levin:Config:ErrInvalid` with line and column. */
export function readDocument(path: string, text: string): Record<string, unknown> {
  const value = /\.toml$/i.test(path) ? readToml(path, text) : yaml(path, text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(path, "its top level is not a table of keys");
  }
  return value as Record<string, unknown>;
}

function invalid(path: string, what: string): LevinError {
  return new LevinError("Levin:Config:ErrInvalid", `Cannot read "${path}": ${what}`, { fields: { file: path } });
}

/** Parses TOML. Throws `Levin:Config:ErrInvalid` with line and column. */
export function readToml(path: string, text: string): Record<string, unknown> {
  try {
    return parseToml(text) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw invalid(path, `${error.message.split("\n")[0]} (line ${error.line}, column ${error.column})`);
  }
}

function yaml(path: string, text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const [first] = document.errors;
  if (first !== undefined) {
    const at = first.linePos?.[0];
    const place = at === undefined ? "" : ` (line ${at.line}, column ${at.col})`;
    throw invalid(path, `${first.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "")}${place}`);
  }
  return document.toJS({ maxAliasCount: MAX_ALIASES });
}
