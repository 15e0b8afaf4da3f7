/** One life of a simulated process: everything it does outside itself passes here, where it may fail or die. */
import type { Clock } from "../../src/base/mod.ts";

/** What a step reaches. */
export type StepKind = "file" | "kvdb" | "rpc" | "message" | "pd-http" | "sql" | "status-port" | "source";

/** What is done to one step. `stop` asks the process to end, as a signal does; the step itself goes on. */
export type Harm =
  | "crash-before"
  | "crash-after"
  | "fail"
  | "lose-answer"
  | "stop"
  /** The process gives up, or dies, and its request is carried out some time later. */
  | "late"
  | "crash-late"
  /** The request is carried out, and some time later once more. */
  | "again"
  | undefined;

export type Judge = (kind: StepKind, what: string, step: number) => Harm;

/** Never settles: what a dead process waits for. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export class Life {
  /** Steps taken. */
  steps = 0;
  /** Resolves at death. */
  readonly died: Promise<void>;
  /** Aborted at a wish to end. */
  readonly stopping = new AbortController();
  /** Aborted at death: peers see its connections end. */
  readonly gone = new AbortController();
  /** Carries out a request that is on its way some time later. */
  later: (run: () => Promise<unknown>) => void = () => undefined;
  readonly #judge: Judge;
  readonly #atDeath = new Set<() => void>();
  #isAlive = true;
  #resolveDied: () => void = () => undefined;

  constructor(judge: Judge) {
    this.#judge = judge;
    this.died = new Promise((resolve) => {
      this.#resolveDied = resolve;
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    for (const run of this.#atDeath) run();
    this.gone.abort(new Error("the process is gone"));
    this.#resolveDied();
  }

  /** Runs at death, unless the returned function is called before. */
  atDeath(run: () => void): () => void {
    this.#atDeath.add(run);
    return () => void this.#atDeath.delete(run);
  }

  /** The promise, or nothing any more when the process is dead by then. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#isAlive && resolve(value),
        (error) => this.#isAlive && reject(error),
      );
    });
  }

  /** One step outside: `failure` makes the error of a step that fails or whose answer is lost. `again`: the step without this process. */
  async step<T>(
    kind: StepKind,
    what: string,
    run: () => Promise<T>,
    failure: () => unknown,
    again?: () => Promise<unknown>,
  ): Promise<T> {
    if (!this.#isAlive) return never();
    const harm = this.#judge(kind, what, ++this.steps);
    const isLate = harm === "late" || harm === "crash-late";
    if (again !== undefined && (isLate || harm === "again")) this.later(again);
    if (harm === "crash-before" || harm === "crash-late") {
      this.kill();
      return never();
    }
    if (harm === "late") throw failure();
    if (harm === "stop") this.stopping.abort(new Error("interrupted"));
    if (harm === "fail") throw failure();
    const value = await this.guard(run());
    if (harm === "crash-after") {
      this.kill();
      return never();
    }
    if (harm === "lose-answer") throw failure();
    return value;
  }

  /** The clock as this process sees it: nothing wakes a dead one. */
  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: (ms, signal) => {
        if (!this.#isAlive) return never();
        return this.guard(clock.sleep(ms, signal));
      },
    };
  }
}
