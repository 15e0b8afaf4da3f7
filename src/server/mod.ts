/**
 * The HTTP API of an import and of server mode: Lightning's paths, bodies and metrics (lightning/pkg/server, pkg/lightning/metric). It
 * listens to events and opens and shuts gates; it knows nothing of how an import works. It lacks Lightning's web page and pprof.
 */
export { type ListenOptions, listen, type StatusServer } from "./listen.ts";
export { Metrics, type ProcessFigures } from "./metrics.ts";
export { LOG_LEVELS, type LogLevel, type ServerState } from "./routes.ts";
export { RunMonitor } from "./run-monitor.ts";
export { type Task, TaskBoard } from "./task-board.ts";
