import { configKeys, type KeySpec, type KeyType } from "./keys.ts";

type Json = Record<string, unknown>;

/** What TOML may hold for each type. */
const types: Record<KeyType, Json> = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  integer: { type: "integer" },
  number: { type: "number" },
  size: {
    anyOf: [
      { type: "integer", minimum: 0 },
      { type: "string", pattern: "^ *[0-9]+(\\.[0-9]+)? *([kKmMgGtTpP]i?)?[bB]? *$" },
    ],
  },
  duration: { type: "string", pattern: "^(0|([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$" },
  strings: { type: "array", items: { type: "string" } },
  "string-or-strings": { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
  "string-or-boolean": { type: ["string", "boolean"] },
  "integer-or-table": { type: ["integer", "object"] },
  map: { type: "object" },
  tables: { type: "array", items: { type: "object" } },
};

function keySchema(spec: KeySpec): Json {
  return {
    ...types[spec.type],
    description: spec.doc,
    ...(spec.oneOf === undefined ? {} : { enum: spec.oneOf }),
    ...(spec.range === undefined ? {} : { minimum: spec.range[0], maximum: spec.range[1] }),
    ...(spec.default === undefined || spec.type === "duration" ? {} : { default: spec.default }),
    ...(spec.noEffect === undefined ? {} : { deprecated: true }),
  };
}

/** The configuration as JSON Schema (draft 2020-12), for editors that complete TOML; made of the same table that checks it. */
export function configJsonSchema(): Json {
  const root: Json = {};
  const sectionOf = (path: string): Json => {
    let at = root;
    for (const part of path === "" ? [] : path.split(".")) {
      at[part] ??= { type: "object", additionalProperties: false, properties: {} };
      at = (at[part] as { properties: Json }).properties;
    }
    return at;
  };
  for (const [section, keys] of Object.entries(configKeys)) {
    const properties = sectionOf(section);
    for (const [name, spec] of Object.entries(keys as Record<string, KeySpec>)) properties[name] = keySchema(spec);
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "levin.toml, and tidb-lightning.toml of 5.0 to 8.5",
    type: "object",
    additionalProperties: false,
    properties: root,
  };
}
