/**
 * What a resume costs: an import killed (`kill -9`) at 10, 50 and 90 % of encoding and of ingesting and then continued, against one that is
 * left alone. Prints wall and CPU seconds of levin's processes. Size of the source in MB: LEVIN_RESUME_MB, default 500;
 * one stage only: LEVIN_RESUME_STAGE.
 */
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { isolatedBinary, startSandboxProcess, targetFlags } from "./harness.ts";

interface Cost {
  wallS: number;
  cpuS: number;
}

interface Stop {
  stage: "encode" | "ingest";
  share: number;
}

const TICKS_PER_SECOND = 100;

function cpuSeconds(pid: number): number | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** One run, to its end or to the stop. */
function runOnce(levin: string, args: string[], stop: Stop | undefined): Promise<Cost & { code: number | null }> {
  const started = performance.now();
  const child = spawn(levin, args, { env: {}, stdio: ["ignore", "pipe", "ignore"] });
  let cpuS = 0;
  const timer = setInterval(() => {
    cpuS = cpuSeconds(child.pid!) ?? cpuS;
  }, 20);
  let rest = "";
  child.stdout.on("data", (part) => {
    const lines = (rest + String(part)).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (stop === undefined || !line.includes('"kind":"progress"')) continue;
      const event = JSON.parse(line) as Record<string, number>;
      const [done, total] =
        stop.stage === "encode"
          ? [event["sourceBytes"]!, event["sourceBytesTotal"]!]
          : [event["ingestedBytes"]!, event["ingestedBytesTotal"]!];
      if (total === 0 || done < stop.share * total) continue;
      cpuS = cpuSeconds(child.pid!) ?? cpuS;
      child.kill("SIGKILL");
      stop = undefined;
    }
  });
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearInterval(timer);
      resolve({ code, wallS: (performance.now() - started) / 1000, cpuS });
    });
  });
}

function makeDump(dir: string, megabytes: number): void {
  fs.mkdirSync(dir);
  fs.writeFileSync(join(dir, "r-schema-create.sql"), "CREATE DATABASE r;");
  fs.writeFileSync(
    join(dir, "r.t-schema.sql"),
    "CREATE TABLE t (id BIGINT PRIMARY KEY, a VARCHAR(80), b VARCHAR(80), KEY a (a));",
  );
  const file = fs.openSync(join(dir, "r.t.csv"), "w");
  fs.writeSync(file, "id,a,b\n");
  for (let id = 0, bytes = 0; bytes < megabytes * 1e6; ) {
    let text = "";
    for (let i = 0; i < 20_000; i++, id++) {
      const a = ((id * 2654435761) % 2 ** 32).toString(16);
      text += `${id},${a.repeat(6)},${a}-${id}-some more text that is always the same\n`;
    }
    bytes += fs.writeSync(file, text);
  }
  fs.closeSync(file);
}

export async function resumeCampaign(): Promise<boolean> {
  const megabytes = Number(process.env["LEVIN_RESUME_MB"] ?? 500);
  execFileSync(process.execPath, ["build.ts"], { cwd: new URL("../..", import.meta.url).pathname });
  const { dir, levin } = isolatedBinary();
  makeDump(join(dir, "dump"), megabytes);
  const stops: (Stop | undefined)[] = [undefined];
  for (const stage of ["encode", "ingest"] as const) {
    if ((process.env["LEVIN_RESUME_STAGE"] ?? stage) !== stage) continue;
    for (const share of [0.1, 0.5, 0.9]) stops.push({ stage, share });
  }
  // How far two runs of the same kind lie apart, for example as the first one makes the dump's pages warm.
  stops.push(undefined);
  let ok = true;
  let alone: Cost | undefined;
  try {
    for (const [i, stop] of stops.entries()) {
      const sandbox = await startSandboxProcess(levin, join(dir, `cluster-${i}`), 1);
      const state = join(dir, `state-${i}`);
      const args = ["import", join(dir, "dump"), ...targetFlags(sandbox), "--state-dir", state, "--json"];
      const first = await runOnce(levin, args, stop);
      const second =
        stop === undefined ? { code: first.code, wallS: 0, cpuS: 0 } : await runOnce(levin, args, undefined);
      await sandbox.stop();
      for (const name of [`cluster-${i}`, `state-${i}`]) fs.rmSync(join(dir, name), { recursive: true, force: true });
      ok &&= second.code === 0 && (stop === undefined || first.code === null);
      const sum = { wallS: first.wallS + second.wallS, cpuS: first.cpuS + second.cpuS };
      alone ??= sum;
      const what = stop === undefined ? "undisturbed" : `killed at ${stop.share * 100} % of ${stop.stage}`;
      const parts = stop === undefined ? "" : ` = ${first.wallS.toFixed(1)} + ${second.wallS.toFixed(1)}`;
      console.log(
        `${what} (exit ${second.code}): ${sum.wallS.toFixed(1)} s wall${parts}, ${sum.cpuS.toFixed(1)} CPU s, ` +
          `${(sum.cpuS / alone.cpuS).toFixed(2)} of the CPU and ${(sum.wallS / alone.wallS).toFixed(2)} of the wall time undisturbed`,
      );
    }
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
  console.log(`source ${megabytes} MB`);
  return ok;
}
