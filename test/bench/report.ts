/** The pages that people look at: `report.md`, and `report.html` with a bar for each stage and the memory of imports over time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { RssSample } from "./bench.ts";
import type { Report } from "./registry.ts";

const MIB = 2 ** 20;

interface Row {
  stage: string;
  speed: string;
  rate: string;
  cpu: string;
  /** MB of input per second of CPU time. */
  perCore: string;
  ratio: number;
  limit: string;
}

function rowsOf(report: Report): Row[] {
  return report.measures.map(({ stage, speed, bytes, items, ms, cpuMs, limit, limitSpeed }) => ({
    stage,
    speed: speed.toFixed(speed < 10 ? 1 : 0),
    rate: items === undefined ? "" : (items / ms / 1000).toFixed(2),
    cpu: cpuMs === 0 ? "" : (cpuMs / (bytes / 1e6)).toFixed(2),
    perCore: cpuMs === 0 ? "" : (bytes / 1e3 / cpuMs).toFixed(0),
    ratio: speed / limitSpeed,
    limit: `${limit}, ${limitSpeed.toFixed(0)} MB/s`,
  }));
}

function machine(): string {
  const cores = availableParallelism();
  return `${cores} × ${cpus()[0]?.model ?? arch()}, load ${loadavg()[0]!.toFixed(1)} at the end, ${new Date().toISOString().slice(0, 16)}Z`;
}

function peakOf({ peakRssBytes, note, hash }: Report): string {
  return `peak RSS of the benchmark ${(peakRssBytes / MIB).toFixed(0)} MiB, result ${hash}${note === undefined ? "" : `, ${note}`}`;
}

export function markdownOf(reports: readonly Report[]): string {
  const out = ["# Benchmarks", "", machine(), ""];
  for (const report of reports) {
    out.push(`## ${report.name}`, "", report.about, "");
    out.push(
      "| stage | MB/s | M items/s | CPU s/GB | MB/s per core | of the limit | limit |",
      "|---|---|---|---|---|---|---|",
    );
    for (const { stage, speed, rate, cpu, perCore, ratio, limit } of rowsOf(report))
      out.push(`| ${stage} | ${speed} | ${rate} | ${cpu} | ${perCore} | ${ratio.toFixed(2)} | ${limit} |`);
    out.push("", peakOf(report), "");
  }
  return out.join("\n");
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const html = (text: string): string => text.replace(/[&<>"]/g, (c) => escapes[c]!);

const WIDTH = 720;
const LABEL_WIDTH = 150;
const BAR_HEIGHT = 22;

/** A bar for each stage: its length is the speed as a part of the limit, cut at the limit. */
function bars(report: Report): string {
  const rows = rowsOf(report);
  const room = WIDTH - LABEL_WIDTH - 10;
  const lines = rows.map(({ stage, speed, ratio, limit }, i) => {
    const y = i * (BAR_HEIGHT + 6);
    const width = Math.max(1, Math.min(1, ratio) * room);
    return [
      `<text x="0" y="${y + 15}">${html(stage)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${room}" height="${BAR_HEIGHT}" class="limit"/>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" class="stage"/>`,
      `<text x="${LABEL_WIDTH + 6}" y="${y + 15}">${speed} MB/s = ${(100 * ratio).toFixed(0)} % of ${html(limit)}</text>`,
    ].join("");
  });
  return `<svg width="${WIDTH}" height="${rows.length * (BAR_HEIGHT + 6)}">${lines.join("")}</svg>`;
}

const CURVE_HEIGHT = 160;

/** Resident memory over time. */
function curve(samples: readonly RssSample[]): string {
  const endMs = samples.at(-1)?.ms ?? 0;
  if (endMs === 0) return "";
  const peak = Math.max(...samples.map(({ bytes }) => bytes));
  const top = 1.1 * peak;
  const points = samples.map(({ ms, bytes }) => {
    return `${((ms / endMs) * WIDTH).toFixed(1)},${(CURVE_HEIGHT * (1 - bytes / top)).toFixed(1)}`;
  });
  const caption = `resident memory of the import over ${(endMs / 1000).toFixed(1)} s, at most ${(peak / MIB).toFixed(0)} MiB`;
  return `<p>${caption}</p><svg width="${WIDTH}" height="${CURVE_HEIGHT}"><polyline class="curve" points="${points.join(" ")}"/></svg>`;
}

const STYLE = `body{font:14px sans-serif;max-width:${WIDTH + 40}px;margin:2em auto;color:#222}svg{display:block;font:12px sans-serif}
.limit{fill:#eee}.stage{fill:#8ab6d6}.curve{fill:none;stroke:#b3541e;stroke-width:2}svg:has(.curve){background:#fafafa}h2{margin-top:2em}small{color:#666}`;

export function htmlOf(reports: readonly Report[]): string {
  const parts = reports.map((report) =>
    [
      `<h2>${html(report.name)}</h2><p>${html(report.about)}</p>`,
      bars(report),
      report.rss === undefined ? "" : curve(report.rss),
      `<p><small>${html(peakOf(report))}</small></p>`,
    ].join("\n"),
  );
  const head = `<!doctype html><meta charset="utf-8"><title>levin benchmarks</title><style>${STYLE}</style>`;
  return `${head}<h1>levin benchmarks</h1><p>${html(machine())}</p>\n${parts.join("\n")}\n`;
}

/** Writes both pages; returns their paths. */
export function writeReport(reports: readonly Report[], dir: string): string[] {
  mkdirSync(dir, { recursive: true });
  const pages: [string, string][] = [
    ["report.md", markdownOf(reports)],
    ["report.html", htmlOf(reports)],
  ];
  return pages.map(([name, text]) => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  });
}
