/** The rules of the house that a machine can check. Each takes a file's repository path and text and returns complaints. */

export interface Rule {
  name: string;
  /** A file that breaks the rule and must be found: path and text. */
  canary: [path: string, text: string];
  check(path: string, text: string): string[];
}

/** Levels of `src/`: imports go to a lower level only (design §4). */
const levels: Record<string, number> = {
  base: 0,
  codec: 1,
  kernel: 1,
  kvdb: 1,
  rpc: 1,
  config: 1,
  storage: 1,
  source: 2,
  schema: 2,
  cluster: 2,
  tidb: 3,
  encoder: 3,
  engine: 3,
  checkpoint: 3,
  br: 3,
  ingest: 4,
  logical: 4,
  precheck: 4,
  server: 4,
  importer: 5,
  load: 6,
  cli: 7,
  "main.ts": 8,
};

/** The side folder: it must not share the importer's code, so that it does not mirror its mistakes. */
const embedMayImport = new Set(["base", "rpc", "kvdb", "codec", "schema", "kernel"]);

/** Third-party packages and the folders that may import them. */
const owners: Record<string, string[]> = {
  level: ["kvdb"],
  "classic-level": ["kvdb"],
  "@connectrpc/connect": ["rpc"],
  "@connectrpc/connect-node": ["rpc"],
  "cmd-ts": ["cli"],
  "log-update": ["cli"],
  valibot: ["config"],
  "smol-toml": ["config"],
  yaml: ["config"],
  mysql2: ["tidb", "embed"],
  "prom-client": ["server"],
  aws4fetch: ["storage"],
};

/** Folders that make or read protobuf messages. */
const genUsers = new Set(["rpc", "cluster", "ingest", "embed", "checkpoint", "load"]);

interface Import {
  specifier: string;
  line: number;
}

function importsOf(text: string): Import[] {
  const out: Import[] = [];
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s(?:[^;"']*?\sfrom\s)?\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
  for (const match of text.matchAll(pattern)) {
    out.push({ specifier: (match[1] ?? match[2])!, line: text.slice(0, match.index).split("\n").length });
  }
  return out;
}

function folderOf(path: string): string {
  return path.split("/")[1]!;
}

/** Repository path that a relative import names. */
function resolve(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function lineMatches(path: string, text: string, pattern: RegExp, complaint: string): string[] {
  const out: string[] = [];
  text.split("\n").forEach((line, i) => {
    const code = line.replace(/^\s*(\/\/|\*|\/\*).*$/, "").replace(/\s\/\/ .*$/, "");
    if (pattern.test(code)) out.push(`${path}:${i + 1}: ${complaint}`);
  });
  return out;
}

const inSrc = (path: string) => path.startsWith("src/") && path.endsWith(".ts");

export const rules: Rule[] = [
  {
    name: "imports go down, through doors",
    canary: ["src/codec/x.ts", 'import { a } from "../engine/mod.ts";'],
    check(path, text) {
      if (!inSrc(path)) return [];
      const own = folderOf(path);
      const out: string[] = [];
      for (const { specifier, line } of importsOf(text)) {
        if (!specifier.startsWith(".")) continue;
        const target = resolve(path, specifier);
        const where = `${path}:${line}: import of "${specifier}"`;
        if (!target.endsWith(".ts") && !target.endsWith(".json")) out.push(`${where} has no .ts extension`);
        if (target.startsWith("gen/")) {
          if (!genUsers.has(own)) out.push(`${where}: folder ${own} may not use generated messages`);
          continue;
        }
        const other = folderOf(target);
        if (!target.startsWith("src/") || other === own) continue;
        if (!target.endsWith("/mod.ts")) out.push(`${where} goes past the door ${other}/mod.ts`);
        if (own === "embed") {
          if (!embedMayImport.has(other)) out.push(`${where}: embed may import only ${[...embedMayImport].join(", ")}`);
        } else if (other === "embed") {
          if (own !== "cli") out.push(`${where}: only cli starts the embedded cluster`);
        } else if (levels[own] === undefined || levels[other] === undefined) {
          out.push(`${where}: folder has no level in test/tidy/rules.ts`);
        } else if (levels[other]! >= levels[own]!) {
          out.push(`${where} does not go down (${own} is level ${levels[own]}, ${other} ${levels[other]})`);
        }
      }
      return out;
    },
  },
  {
    name: "each package has its door",
    canary: ["src/codec/x.ts", 'import { Level } from "level";'],
    check(path, text) {
      if (!inSrc(path)) return [];
      const out: string[] = [];
      for (const { specifier, line } of importsOf(text)) {
        if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
        const name = specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/");
        const owner = owners[name];
        if (owner !== undefined && !owner.includes(folderOf(path))) {
          out.push(`${path}:${line}: "${name}" is imported in ${owner.join(", ")} only`);
        }
      }
      return out;
    },
  },
  {
    name: "no ambient time or randomness",
    canary: ["src/engine/x.ts", "const t = Date.now();"],
    check: (path, text) =>
      !inSrc(path) || path.startsWith("src/base/")
        ? []
        : lineMatches(
            path,
            text,
            /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)|\bperformance\.now\(|(?<![.\w])set(Timeout|Interval)\(/,
            "ambient clock, timer or random: take Clock or Random from base",
          ),
  },
  {
    name: "no ambient process or console",
    canary: ["src/engine/x.ts", 'console.log("x");'],
    check: (path, text) =>
      !inSrc(path) || path.startsWith("src/cli/") || path === "src/main.ts"
        ? []
        : lineMatches(
            path,
            text,
            /\bconsole\.\w+\(|\bprocess\.(?!memoryUsage)\w+/,
            "process and console belong to cli and main.ts: emit an event or take an option",
          ),
  },
  {
    name: "portable and erasable",
    canary: ["src/codec/x.ts", "export enum A { b }"],
    check: (path, text) =>
      inSrc(path)
        ? lineMatches(
            path,
            text,
            /\bBun\.\w|\bDeno\.\w|^\s*(export\s+)?(const\s+)?enum\s|^\s*(export\s+)?namespace\s|\bexport default\b|constructor\([^)]*\b(private|public|readonly)\s/,
            "not portable or not erasable TypeScript",
          )
        : [],
  },
  {
    name: "small files",
    canary: ["src/codec/x.ts", "x\n".repeat(501)],
    check: (path, text) => {
      const lines = text.split("\n").length - 1;
      return inSrc(path) && lines > 500 ? [`${path}: ${lines} lines, the limit is 500: more than one idea?`] : [];
    },
  },
  {
    name: "doors say what is behind them",
    canary: ["src/codec/mod.ts", 'export * from "./x.ts";'],
    check: (path, text) =>
      /^src\/.*mod\.ts$/.test(path) && !text.startsWith("/**")
        ? [`${path}: a door begins with a comment on what the folder is`]
        : [],
  },
  {
    name: "nothing left open",
    canary: ["src/codec/x.ts", "// TODO: later"],
    check: (path, text) => {
      if (!inSrc(path) && path !== "build.ts") return [];
      const out: string[] = [];
      text.split("\n").forEach((line, i) => {
        if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line)) out.push(`${path}:${i + 1}: left open`);
      });
      return out;
    },
  },
  {
    name: "every test runs",
    canary: ["test/codec/x.test.ts", 'test.skip("x", () => {});'],
    check: (path, text) =>
      path.startsWith("test/") && path.endsWith(".ts") && !path.startsWith("test/tidy/")
        ? lineMatches(path, text, /\b(it|test|describe)\.(skip|todo|only|failing)\b/, "a test that does not run")
        : [],
  },
  {
    name: "no paths of one machine",
    canary: ["src/codec/x.ts", 'const p = "/work/shared/x";'],
    check: (path, text) =>
      path.startsWith("test/tidy/")
        ? []
        : lineMatches(path, text, /(^|[^A-Za-z0-9_.])\/(work|farm)\//, "a path of one machine"),
  },
  {
    name: "one title a document",
    canary: ["README.md", "# a\n\n# b\n"],
    check: (path, text) => {
      if (!path.endsWith(".md")) return [];
      const body = text.replace(/```[\s\S]*?```/g, "");
      const titles = body.split("\n").filter((line) => /^# /.test(line)).length;
      return titles === 1 ? [] : [`${path}: ${titles} titles`];
    },
  },
];
