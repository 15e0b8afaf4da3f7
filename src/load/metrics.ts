/** One counter with labels, as Prometheus prints it. */
export class CounterFamily {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly #values = new Map<string, { labels: readonly string[]; value: number }>();

  constructor(name: string, help: string, labels: string[]) {
    this.name = name;
    this.help = help;
    this.labels = labels;
  }

  increment(...labels: string[]): void {
    const key = JSON.stringify(labels);
    const known = this.#values.get(key);
    if (known === undefined) this.#values.set(key, { labels, value: 1 });
    else known.value++;
  }

  /** Removes every series whose label has this value. */
  removeWhere(label: string, value: string): void {
    const at = this.labels.indexOf(label);
    for (const [key, series] of this.#values) if (series.labels[at] === value) this.#values.delete(key);
  }

  get series(): number {
    return this.#values.size;
  }

  text(): string {
    if (this.#values.size === 0) return "";
    const lines = [...this.#values.values()].map(({ labels, value }) => {
      const pairs = this.labels.map((label, i) => `${label}="${escapeLabel(labels[i] ?? "")}"`);
      return `${this.name}{${pairs.join(",")}} ${value}`;
    });
    return `# HELP ${this.name} ${this.help}\n# TYPE ${this.name} counter\n${lines.join("\n")}\n`;
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Where the unit counts; several units of a process may share one. */
export interface LoadMetrics {
  /** `dm_loader_exit_with_error_count`. */
  readonly exitWithError: CounterFamily;
}

export function newLoadMetrics(): LoadMetrics {
  const labels = ["task", "source_id", "resumable_err"];
  return {
    exitWithError: new CounterFamily("dm_loader_exit_with_error_count", "counter for loader exits with error", labels),
  };
}

/** What a process has when nobody hands one over. */
export const defaultLoadMetrics: LoadMetrics = newLoadMetrics();
