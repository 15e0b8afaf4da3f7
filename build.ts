/**
 * Builds the one executable: `bun build.ts [--target bun-linux-x64] [--outfile dist/levin]`. The LevelDB addon is looked up at run time by
 * `classic-level/binding.js`; a plugin puts a literal `require` of the target's addon in its place, because only that is embedded.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Bun's compile targets and the addon in classic-level's `prebuilds` that fits each. */
const targets: Record<string, string> = {
  "bun-linux-x64": "linux-x64/classic-level.node",
  "bun-linux-x64-baseline": "linux-x64/classic-level.node",
  "bun-linux-x64-musl": "linux-x64/classic-level.musl.node",
  "bun-linux-x64-musl-baseline": "linux-x64/classic-level.musl.node",
  "bun-linux-arm64": "linux-arm64/classic-level.armv8.node",
  "bun-linux-arm64-musl": "linux-arm64/classic-level.armv8.node",
  "bun-darwin-x64": "darwin-x64+arm64/classic-level.node",
  "bun-darwin-arm64": "darwin-x64+arm64/classic-level.node",
  "bun-windows-x64": "win32-x64/classic-level.node",
  "bun-windows-x64-baseline": "win32-x64/classic-level.node",
};

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

const here = import.meta.dir;
const hostTarget = `bun-${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
const target = option("--target") ?? hostTarget;
const addon = targets[target];
if (addon === undefined) {
  console.error(`Cannot build for "${target}": known targets are ${Object.keys(targets).join(", ")}`);
  process.exit(2);
}
const addonFile = join(here, "node_modules/classic-level/prebuilds", addon);
if (!existsSync(addonFile)) {
  console.error(`Cannot build for "${target}": ${addonFile} is missing; run npm ci`);
  process.exit(1);
}

const literalAddon: Bun.BunPlugin = {
  name: "literal LevelDB addon",
  setup(build) {
    build.onLoad({ filter: /classic-level[\\/]binding\.js$/ }, ({ path }) => ({
      // Loaded at its first use: commands that store nothing work where the addon cannot be loaded.
      contents: `
        let loaded;
        const load = () => (loaded ??= require(${JSON.stringify(`./${join("prebuilds", addon)}`)}));
        module.exports = new Proxy({}, { get: (_, name) => load()[name] });`,
      loader: "js",
      resolveDir: dirname(path),
    }));
  },
};

/** Worker files are entry points of their own, found by their name. */
function workerFiles(dir: string): string[] {
  return readdirSync(join(here, dir), { recursive: true })
    .map((name) => join(dir, String(name)))
    .filter((name) => name.endsWith("-worker.ts"))
    .sort();
}

const version = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).version as string;
const outfile = option("--outfile") ?? join(here, "dist", "levin");
const started = performance.now();
const result = await Bun.build({
  entrypoints: ["src/main.ts", ...workerFiles("src")].map((file) => join(here, file)),
  root: join(here, "src"),
  plugins: [literalAddon],
  // A command reads and evaluates the parts of the program that it needs, and they need not be parsed: see ARCHITECTURE.md, Speed.
  splitting: true,
  format: "esm",
  bytecode: target === hostTarget || target.startsWith(`${hostTarget}-`),
  minify: { syntax: true, whitespace: true, identifiers: false },
  sourcemap: "none",
  define: { "process.env.LEVIN_VERSION": JSON.stringify(version) },
  // biome-ignore lint/suspicious/noExplicitAny: bun-types lists fewer targets than Bun accepts.
  compile: { target: target as any, outfile },
  throw: false,
});
for (const log of result.logs) console.error(String(log));
if (!result.success) process.exit(1);
console.log(`built ${outfile} (${target}) in ${Math.round(performance.now() - started)} ms`);
