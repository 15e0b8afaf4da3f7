import { LevinError, type PauseGate } from "../base/mod.ts";
import type { RunMonitor } from "./run-monitor.ts";
import type { Task, TaskBoard } from "./task-board.ts";

/** From the most talkative on. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "fatal"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the HTTP API shows and steers. */
export interface ServerState {
  readonly monitor: RunMonitor;
  readonly board: TaskBoard;
  readonly gate: PauseGate;
  readonly log: { level: LogLevel };
  /** Metrics of what drives the import, as Prometheus text. */
  readonly moreMetrics?: () => string;
  /** Makes a task of a TOML text; throws `LevinError` where it is not valid. Absent: outside server mode, no tasks are taken. */
  readonly makeTask?: (toml: string) => Task;
}

export interface Request {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Reads the body; throws `LevinError` where it is too large. */
  readonly text: () => Promise<string>;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Text, or a value that is sent as JSON. */
  body: unknown;
}

const ok = (body: unknown): Answer => ({ status: 200, body });
const refusal = (status: number, error: string, headers?: Record<string, string>): Answer => ({
  status,
  ...(headers === undefined ? {} : { headers }),
  body: { error },
});

/** Methods and paths of lightning/pkg/server/lightning.go, with its bodies and error texts. */
export async function answer(state: ServerState, request: Request): Promise<Answer> {
  const { path } = request;
  if (path === "/tasks" || path.startsWith("/tasks/")) return answerTasks(state, request);
  switch (path) {
    case "/":
      return ok(
        "levin: see /metrics, /tasks, /progress/task, /progress/table?t=`db`.`table`, /pause, /resume, /loglevel\n",
      );
    case "/metrics": {
      const { registry } = state.monitor.metrics;
      const body = `${await registry.metrics()}${state.moreMetrics?.() ?? ""}`;
      return { status: 200, headers: { "content-type": registry.contentType }, body };
    }
    case "/progress/task":
      return ok(state.monitor.task());
    case "/progress/table": {
      const name = request.query.get("t") ?? "";
      const table = state.monitor.table(name);
      return table === undefined ? { status: 404, body: `table ${name} not found` } : ok(table);
    }
    case "/pause":
      return answerPause(state, request.method);
    case "/resume":
      if (request.method !== "PUT") return refusal(405, "only PUT is allowed", { allow: "PUT" });
      state.gate.resume();
      return ok({});
    case "/loglevel":
      return answerLogLevel(state, request);
    default:
      return refusal(404, "no such path");
  }
}

function answerPause({ gate }: ServerState, method: string): Answer {
  if (method === "GET") return ok({ paused: gate.paused });
  if (method !== "PUT") return refusal(405, "only GET and PUT are allowed", { allow: "GET, PUT" });
  gate.pause();
  return ok({});
}

async function answerLogLevel({ log }: ServerState, request: Request): Promise<Answer> {
  if (request.method === "GET") return ok({ level: log.level });
  if (request.method !== "PUT" && request.method !== "POST")
    return refusal(405, "only GET, PUT and POST are allowed", { allow: "GET, PUT, POST" });
  let level: unknown;
  try {
    level = (JSON.parse(await request.text()) as { level?: unknown }).level;
  } catch (error) {
    if (error instanceof LevinError) throw error;
    return refusal(400, `invalid log level: ${(error as Error).message}`);
  }
  const known = LOG_LEVELS.find((one) => one === String(level).toLowerCase());
  if (known === undefined) return refusal(400, `invalid log level: it must be one of ${LOG_LEVELS.join(", ")}`);
  log.level = known;
  return ok({});
}

async function answerTasks(state: ServerState, request: Request): Promise<Answer> {
  const { board, makeTask } = state;
  const [idText = "", verb = ""] = request.path.replace(/^\/tasks\/?/, "").split("/");
  switch (request.method) {
    case "GET": {
      if (idText === "") return ok({ current: board.current ?? null, queue: board.waiting });
      const id = taskId(idText);
      if (id === undefined) return refusal(400, `invalid task ID: "${idText}"`);
      const task = board.find(id);
      return task === undefined ? refusal(404, "task ID not found") : ok(task.config);
    }
    case "POST": {
      if (makeTask === undefined) return refusal(501, "server-mode not enabled");
      try {
        const task = makeTask(await request.text());
        board.push(task);
        return { status: 200, headers: { "cache-control": "no-store" }, body: { id: task.id } };
      } catch (error) {
        if (!(error instanceof LevinError)) throw error;
        return refusal(400, `invalid task configuration: ${error.message}`);
      }
    }
    case "DELETE":
    case "PATCH": {
      if (request.method === "PATCH" && makeTask === undefined) return refusal(501, "server-mode not enabled");
      const id = taskId(idText);
      if (id === undefined) return refusal(400, `invalid task ID: "${idText}"`);
      if (request.method === "DELETE") return board.cancel(id) ? ok({}) : refusal(404, "task ID not found");
      if (verb !== "front" && verb !== "back") return refusal(400, "unknown patch action");
      return board.move(id, verb) ? ok({}) : refusal(404, "task ID not found");
    }
    default:
      return refusal(405, "only GET, POST, DELETE and PATCH are allowed", { allow: "GET, POST, DELETE, PATCH" });
  }
}

function taskId(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}
