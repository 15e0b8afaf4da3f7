/**
 * The whole test gate (`npm test`): format, lint, types, generated code, the binary, all tests on Bun, the unit tests again on Deno. Ends with
 * the line `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const bin = join(root, "node_modules", ".bin");
const environment = { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}`, NO_COLOR: "1", FORCE_COLOR: "0" };

/** Folders whose tests start the binary or other programs, or take long; they run on Bun only. */
const bunOnly = new Set(["e2e", "interop", "bench", "tidy", "sim"]);

let passed = 0;
let failed = 0;

interface Step {
  name: string;
  command: string[];
  /** Finds how many tests passed and failed; a step without it counts as one. */
  counts?: (output: string) => [passed: number, failed: number] | undefined;
}

/** Runs a command to its end: whether it succeeded, and all that it printed. */
function execute([program, ...args]: string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program!, args, { cwd: root, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    const parts: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => parts.push(part));
    child.stderr.on("data", (part: Buffer) => parts.push(part));
    child.on("error", (error) => resolve({ ok: false, output: String(error) }));
    child.on("close", (code) => resolve({ ok: code === 0, output: Buffer.concat(parts).toString() }));
  });
}

/** What is left of a runner's output without the tests that passed and the files that had no others. */
function withoutPassed(output: string): string {
  const lines = output.split("\n").filter((line) => !/^\(pass\)|\.\.\. ok \(/.test(line) && line.trim() !== "");
  const isHead = (line: string | undefined): boolean => line !== undefined && /^\S+\.test\.ts:$/.test(line);
  return lines.filter((line, i) => !(isHead(line) && (i + 1 === lines.length || isHead(lines[i + 1])))).join("\n");
}

async function run({ name, command, counts }: Step): Promise<void> {
  const started = performance.now();
  const { ok, output } = await execute(command);
  const [good, bad] = counts?.(output) ?? [ok ? 1 : 0, ok ? 0 : 1];
  passed += good;
  // A run that fails without a failed test (a crash, a syntax error) must not look like success.
  failed += ok ? bad : Math.max(bad, 1);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${ok ? "ok  " : "FAIL"} ${name} (${seconds} s${counts === undefined ? "" : `, ${good} passed, ${bad} failed`})`,
  );
  const told = ok ? "" : withoutPassed(output);
  if (!ok) console.log(told.length > 20_000 ? `${told.slice(0, 12_000)}\n…\n${told.slice(-8000)}` : told);
  else for (const line of output.split("\n")) if (line.includes("SKIPPED")) console.log(`     ${line.trim()}`);
}

const bunCounts = (output: string): [number, number] | undefined => {
  const good = /^\s*(\d+) pass$/m.exec(output);
  const bad = /^\s*(\d+) fail$/m.exec(output);
  return good === null ? undefined : [Number(good[1]), Number(bad?.[1] ?? 0)];
};

const denoCounts = (output: string): [number, number] | undefined => {
  const match = /(\d+) passed(?: \((\d+) steps?\))? \| (\d+) failed/.exec(output);
  return match === null ? undefined : [Number(match[1]) + Number(match[2] ?? 0), Number(match[3])];
};

const unitFolders = readdirSync(join(root, "test"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !bunOnly.has(entry.name))
  .map((entry) => entry.name)
  .filter((name) =>
    readdirSync(join(root, "test", name), { recursive: true }).some((file) => String(file).endsWith(".test.ts")),
  );

const interopCounts = (output: string): [number, number] | undefined => {
  const match = /^(\d+) passed, (\d+) failed/m.exec(output);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
};

/** Tests on Bun in the folders that are wanted. */
function bunTests(name: string, wants: (folder: string) => boolean): Step {
  const files = readdirSync(join(root, "test"), { recursive: true })
    .map((file) => String(file))
    .filter((file) => file.endsWith(".test.ts") && wants(file.split("/")[0]!));
  const command = ["bun", "test", "--timeout", "120000", ...files.map((file) => `./test/${file}`)];
  return { name, command, counts: bunCounts };
}

/** Unit tests on Deno in the folders that are wanted. */
function denoTests(name: string, wants: (folder: string) => boolean): Step {
  const folders = unitFolders.filter(wants).map((folder) => `test/${folder}`);
  return { name, command: ["deno", "test", "-A", "--no-check", "--quiet", ...folders], counts: denoCounts };
}

/** Whose tests mostly wait for programs and servers: they leave room on the two cores for the others beside them. */
const waiting = new Set(["interop", "importer", "load", "cli"]);

/** One after the other; the lanes of a stage run side by side, the steps of a lane one after the other. */
const stages: Step[][][] = [
  [
    [
      {
        name: "format and lint",
        command: ["biome", "check", "--config-path=.ci/biome.json", "src", "test", "build.ts"],
      },
      { name: "types", command: ["tsc", "--noEmit"] },
      { name: "build", command: ["bun", "build.ts"] },
    ],
  ],
  [
    [
      bunTests("whole imports on Bun", (folder) => folder === "e2e"),
      bunTests("imports and programs on Bun", (folder) => waiting.has(folder)),
      denoTests("unit tests of imports and programs on Deno", (folder) => waiting.has(folder)),
    ],
    [
      bunTests("other tests on Bun", (folder) => folder !== "e2e" && !waiting.has(folder)),
      denoTests("other unit tests on Deno", (folder) => !waiting.has(folder)),
    ],
  ],
  [[{ name: "interop", command: ["bun", "test/interop/main.ts"], counts: interopCounts }]],
];
const wanted = process.argv[2];
for (const lanes of stages) {
  await Promise.all(
    lanes.map(async (steps) => {
      for (const step of steps) if (wanted === undefined || step.name.includes(wanted)) await run(step);
    }),
  );
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
