/**
 * Configuration: tidb-lightning's TOML with all its keys, flags and environment merged into one checked whole that knows where each value
 * comes from. The only folder that imports `valibot`, `smol-toml` and `yaml`. It knows no meaning beyond types: `cli` turns it into options.
 */
export { readDocument } from "./document.ts";
export { configJsonSchema } from "./json-schema.ts";
export { configKeys, type KeySpec, type KeyType } from "./keys.ts";
export {
  keysByPath,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  printConfig,
  publicConfig,
} from "./load.ts";
export { formatDuration, parseDuration, parseSize } from "./units.ts";
