import { appendFileSync } from "node:fs";
import { createLogUpdate } from "log-update";
import type { Clock, EventSink, LevinEvent } from "../../base/mod.ts";
import { LOG_LEVELS, type LogLevel } from "../../server/mod.ts";
import { GatheredLines } from "./gathered-lines.ts";
import { progressLine, summaryLine, tableDoneLine } from "./text.ts";

/** A listener of a run's events that is closed at the end. */
export interface OutputSink {
  emit: EventSink;
  close(): void;
}

export interface OutputStream {
  write(text: string): unknown;
}

/** How often a plain progress line is written where there is no terminal. */
const PLAIN_PROGRESS_MS = 5000;
/** How often the live display is redrawn. */
const LIVE_REDRAW_MS = 100;

function lineOf(event: LevinEvent): string | undefined {
  switch (event.kind) {
    case "plan":
      return event.lines.join("\n");
    case "check":
      return event.status === "warning" ? `warn: ${event.check}: ${event.detail}` : undefined;
    case "table-done":
      return tableDoneLine(event);
    case "summary":
      return summaryLine(event);
    case "log":
      return event.level === "warn" || event.level === "error" ? `${event.level}: ${event.message}` : undefined;
    default:
      return undefined;
  }
}

/** Plain lines: results as they come, progress now and then. */
export function plainSink(out: OutputStream, clock: Clock): OutputSink {
  const startedMs = clock.monotonicMs();
  let lastMs = startedMs;
  const lines = new GatheredLines(clock, (text) => out.write(text));
  const write = (line: string): void => {
    lines.add(line);
    lines.flush();
  };
  return {
    emit(event) {
      if (event.kind === "progress") {
        const nowMs = clock.monotonicMs();
        if (nowMs - lastMs < PLAIN_PROGRESS_MS) return;
        lastMs = nowMs;
        write(progressLine(event, nowMs - startedMs));
        return;
      }
      const line = lineOf(event);
      if (line === undefined) return;
      // Only these come by the thousand; what is not an import has none, and does not close its sink.
      if (event.kind === "table-done") lines.add(line);
      else write(line);
    },
    close: () => lines.flush(),
  };
}

/** A terminal: results scroll by, the last line is live. */
export function liveSink(out: NodeJS.WriteStream, clock: Clock): OutputSink {
  const draw = createLogUpdate(out);
  const startedMs = clock.monotonicMs();
  let lastMs = 0;
  return {
    emit(event) {
      if (event.kind === "progress") {
        const nowMs = clock.monotonicMs();
        if (nowMs - lastMs < LIVE_REDRAW_MS) return;
        lastMs = nowMs;
        draw(progressLine(event, nowMs - startedMs));
        return;
      }
      const line = lineOf(event);
      if (line === undefined) return;
      draw.clear();
      out.write(`${line}\n`);
    },
    close() {
      draw.clear();
      draw.done();
    },
  };
}

const bigintAsText = (_: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);

/** JSON lines, one an event but those of each call's time, which are for metrics; 64-bit integers as strings. */
export function jsonSink(out: OutputStream, clock: Clock): OutputSink {
  const lines = new GatheredLines(clock, (text) => out.write(text));
  return {
    emit(event) {
      if (event.kind !== "timing") lines.add(JSON.stringify(event, bigintAsText));
    },
    close: () => lines.flush(),
  };
}

/** Events that come by the thousand are for the debug level; what is no message is info. */
function levelOf(event: LevinEvent): LogLevel {
  if (event.kind === "log") return event.level;
  return event.kind === "chunk" || event.kind === "timing" ? "debug" : "info";
}

/** What must not wait: a run may end with it. */
const isUrgent = (event: LevinEvent): boolean =>
  event.kind === "log" && (event.level === "warn" || event.level === "error");

/**
 * Log files: every event of the level and above, but progress, as a JSON line with its time, the same in all of them. Loses a log rather
 * than the import when the disk refuses.
 */
export function logFileSink(paths: readonly string[], clock: Clock, log: { level: LogLevel }): OutputSink {
  const left = new Set(paths);
  const lines = new GatheredLines(clock, (text) => {
    for (const path of left) {
      try {
        appendFileSync(path, text);
      } catch {
        left.delete(path);
      }
    }
  });
  return {
    emit(event) {
      if (left.size === 0 || event.kind === "progress") return;
      if (LOG_LEVELS.indexOf(levelOf(event)) < LOG_LEVELS.indexOf(log.level)) return;
      lines.add(JSON.stringify({ time: new Date(clock.nowMs()).toISOString(), ...event }, bigintAsText));
      if (isUrgent(event)) lines.flush();
    },
    close: () => lines.flush(),
  };
}

/** All of them at once. */
export function tee(...sinks: OutputSink[]): OutputSink {
  return {
    emit: (event) => {
      for (const sink of sinks) sink.emit(event);
    },
    close: () => {
      for (const sink of sinks) sink.close();
    },
  };
}
